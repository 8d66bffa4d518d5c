// The routes of openapi.json as plain text.

const place = document.getElementById("routes");

function add(parent, tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  parent.append(element);
  return element;
}

function addList(parent, title, pairs) {
  if (pairs.length === 0) return;
  add(parent, "h3", title);
  const list = add(parent, "dl", "");
  for (const [name, text] of pairs) {
    add(list, "dt", name);
    add(list, "dd", text);
  }
}

function parameterFacts({ in: where, required, schema = {} }) {
  const facts = [where, required ? "required" : "optional"];
  for (const key of ["type", "format", "default", "minimum", "maximum"]) {
    if (schema[key] !== undefined) facts.push(`${key} ${schema[key]}`);
  }
  return facts.join(", ");
}

function addRoute(path, method, route) {
  const section = add(place, "section", "");
  add(section, "h2", `${method.toUpperCase()} ${path}`);
  add(section, "p", route.description ?? route.summary ?? "");
  addList(section, "Parameters", (route.parameters ?? []).map((one) => [one.name, parameterFacts(one)]));
  const form = route.requestBody?.content?.["multipart/form-data"]?.schema?.properties ?? {};
  addList(section, "Form", Object.entries(form).map(([name, { description = "" }]) => [name, description]));
  addList(section, "Answers", Object.entries(route.responses).map(([status, { description }]) => [status, description]));
}

try {
  const { paths } = await (await fetch("openapi.json")).json();
  place.replaceChildren();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, route] of Object.entries(methods)) addRoute(path, method, route);
  }
} catch (error) {
  place.textContent = `The description could not be read: ${error.message}`;
}

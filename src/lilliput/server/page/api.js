// Requests to the server that served this page.

const TOKEN = "lilliput-token";

/** A request that failed, in one line for people; `status` is 0 when the server did not answer. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export const token = {
  get: () => sessionStorage.getItem(TOKEN) ?? "",
  set: (value) => sessionStorage.setItem(TOKEN, value),
};

const addressOf = (path) => new URL(path, document.baseURI);

const headers = () => (token.get() ? { Authorization: `Bearer ${token.get()}` } : {});

const silent = () =>
  new ApiError(0, "The server does not answer. Is it running, and the network up?");

/** The error that a response tells: `detail` of its JSON, or its status. */
function errorOf(status, text) {
  let detail = null;
  try {
    detail = JSON.parse(text).detail;
  } catch {
    // A proxy in between may answer with a page of its own.
  }
  if (typeof detail !== "string") detail = `The server answered with status ${status}.`;
  if (status === 401) detail = "The server asks for a valid token: enter it below.";
  return new ApiError(status, detail);
}

/** The response of a request that succeeded. */
export async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(addressOf(path), { ...options, headers: headers() });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw silent();
  }
  if (!response.ok) throw errorOf(response.status, await response.text().catch(() => ""));
  return response;
}

/** The JSON that a GET answers with. */
export const read = async (path, options) => (await request(path, options)).json();

/** POSTs a form; calls `onProgress` with the part that is sent, which fetch cannot tell. */
export function upload(path, form, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open("POST", addressOf(path));
    for (const [name, value] of Object.entries(headers())) sending.setRequestHeader(name, value);
    sending.upload.onprogress = (event) => onProgress(event.loaded / event.total);
    sending.onload = () => {
      if (sending.status < 300) resolve(JSON.parse(sending.responseText));
      else reject(errorOf(sending.status, sending.responseText));
    };
    sending.onerror = () => reject(silent());
    sending.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    signal.addEventListener("abort", () => sending.abort());
    sending.send(form);
  });
}

/** Server-sent events as {name, data}; read by fetch, since EventSource sends no token. */
export async function* listen(path, signal) {
  const response = await request(path, { signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text = (text + value).replaceAll("\r\n", "\n");
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const message = parse(block);
      if (message) yield message;
    }
  }
}

function parse(block) {
  const fields = { event: "message", data: "" };
  for (const line of block.split("\n")) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name in fields) fields[name] = name === "data" ? fields.data + value : value;
  }
  return fields.data ? { name: fields.event, data: JSON.parse(fields.data) } : null;
}

// A video on its way: sent, watched, told.

import { ApiError, listen, read, request, upload } from "./api.js";

const PATIENCE = 6; // times that a lost connection is taken up again

/** Waits `seconds`, less when the signal says so. */
function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("cancelled", "AbortError"));
    });
  });
}

/** The sent video, as the server's number of its job. */
export async function send(file, detector, { onSent, signal }) {
  const form = new FormData();
  form.append("detector", detector);
  form.append("video", file);
  return (await upload("v1/watch", form, { onProgress: onSent, signal })).job;
}

/** The result of a job; a connection that is lost is taken up again for a while. */
export async function follow(job, { onProgress, onEvent, signal }) {
  const path = `v1/jobs/${encodeURIComponent(job)}`;
  for (let lost = 0; ; lost += 1) {
    try {
      const result = await listenOnce(path, { onProgress, onEvent, signal });
      if (result) return result;
    } catch (error) {
      const isLost = error instanceof TypeError || error.status === 0;
      if (!isLost || lost >= PATIENCE) throw isLost ? new ApiError(0, silence) : error;
    }
    await pause(Math.min(2 ** lost / 4, 4), signal);
  }
}

const stopped = "The server has stopped this video.";
const silence = "The connection to the server was lost. Your video is kept: try again.";

async function listenOnce(path, { onProgress, onEvent, signal }) {
  for await (const { name, data } of listen(`${path}/stream`, signal)) {
    if (name === "progress") onProgress(data);
    else if (name === "event") onEvent(data);
    else if (name === "failed") throw new ApiError(422, data.error ?? stopped);
    else if (name === "done") break;
  }
  const { state, error, result } = await read(path, { signal });
  if (state === "failed") throw new ApiError(422, error);
  if (state === "cancelled") throw new ApiError(422, stopped);
  return result;
}

/** Tells the server to stop and to forget the video. */
export const cancel = (job) =>
  request(`v1/jobs/${encodeURIComponent(job)}`, { method: "DELETE", keepalive: true });

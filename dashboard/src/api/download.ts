/// A file that the API streams, handed to the browser as a download: the token cannot stand in a link.
import { send, type Request } from "./client";

export async function download(path: string, query: Request["query"], name: string): Promise<void> {
  const answer = await send(path, { query: query ?? {} });
  const address = URL.createObjectURL(await answer.blob());
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser has begun to read by then.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

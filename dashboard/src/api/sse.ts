/// The framing of server-sent events, read from a stream: an `EventSource` cannot send a token.

export interface Frame {
  id: string | null;
  event: string;
  data: string;
}

/// Reads frames until the stream ends. Comments (heartbeats) are told too, by `onAnything`.
export async function readFrames(body: ReadableStream<Uint8Array>, onFrame: (frame: Frame) => void, onAnything: () => void): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  const parser = new FrameParser(onFrame);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onAnything();
    parser.push(value);
  }
}

export class FrameParser {
  private rest = "";
  private id: string | null = null;
  private event = "";
  private data: string[] = [];

  constructor(private readonly onFrame: (frame: Frame) => void) {}

  push(chunk: string): void {
    const lines = (this.rest + chunk).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.line(line);
  }

  private line(line: string): void {
    if (line === "") {
      if (this.data.length > 0) this.onFrame({ id: this.id, event: this.event || "message", data: this.data.join("\n") });
      this.event = "";
      this.data = [];
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id") this.id = value;
    else if (field === "event") this.event = value;
    else if (field === "data") this.data.push(value);
  }
}

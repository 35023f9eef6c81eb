import { expect, test } from "vitest";
import { FrameParser, type Frame } from "./sse";

function frames(...chunks: string[]): Frame[] {
  const seen: Frame[] = [];
  const parser = new FrameParser((frame) => seen.push(frame));
  for (const chunk of chunks) parser.push(chunk);
  return seen;
}

test("a frame is told once it is complete, wherever the chunks are cut", () => {
  const text = 'id: 7\nevent: store\ndata: {"a":1}\n\n';
  for (let cut = 1; cut < text.length; cut++) {
    expect(frames(text.slice(0, cut), text.slice(cut))).toEqual([{ id: "7", event: "store", data: '{"a":1}' }]);
  }
  expect(frames(text.slice(0, -1))).toEqual([]);
});

test("comments are no frames, lines of data are joined, and every kind of line end counts", () => {
  expect(frames(": heartbeat\n\n")).toEqual([]);
  expect(frames("data: a\r\ndata: b\r\n\r\n")).toEqual([{ id: null, event: "message", data: "a\nb" }]);
  expect(frames("id: 1\r", "\ndata: x\r", "\n\r", "\n")).toEqual([{ id: "1", event: "message", data: "x" }]);
});

test("an id holds until there is another", () => {
  expect(frames("id: 1\ndata: a\n\ndata: b\n\n").map((frame) => frame.id)).toEqual(["1", "1"]);
});

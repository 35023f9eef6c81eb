/// Charts drawn as SVG, as wide as their place, so that what is written in them has the size of other text. Each says its numbers to
/// screen readers too.
import { useEffect, useId, useRef, useState } from "react";
import type { Bar, Point } from "./series";
import { scale } from "./series";

const WIDTH = 720;

/// The width of an element, as it is now.
function useWidth() {
  const element = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(WIDTH);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth((before) => Math.round(entry?.contentRect.width || before)));
    if (element.current) watch.observe(element.current);
    return () => watch.disconnect();
  }, []);
  return [element, width] as const;
}

/// How a time is written below a chart that spans so many milliseconds.
function timeFormat(span: number): Intl.DateTimeFormat {
  if (span > 36 * 3_600_000) return new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
  const seconds = span < 10 * 60_000 ? { second: "2-digit" as const } : {};
  return new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", ...seconds });
}

interface Band {
  key: string;
  name: string;
  colour: string;
}

export function AreaChart({ label, points, bands }: { label: string; points: Point[]; bands: Band[] }) {
  const [element, width] = useWidth();
  const [height, left, bottom, top] = [220, 30, 24, 8];
  const first = points[0]?.at ?? 0;
  const span = Math.max(1, (points.at(-1)?.at ?? 0) - first);
  const total = (point: Point) => bands.reduce((sum, band) => sum + (point.counts[band.key] ?? 0), 0);
  const marks = scale(Math.max(1, ...points.map(total)), 4);
  const most = marks.at(-1) ?? 1;
  const x = (at: number) => left + ((at - first) / span) * (width - left - 4);
  const y = (value: number) => top + (1 - value / most) * (height - top - bottom);
  const below = points.map(() => 0);
  const areas = bands.map((band) => {
    const upper = points.map((point, index) => (below[index] ?? 0) + (point.counts[band.key] ?? 0));
    const line = points.map((point, index) => `${x(point.at).toFixed(1)},${y(upper[index] ?? 0).toFixed(1)}`);
    const back = points.map((point, index) => `${x(point.at).toFixed(1)},${y(below[index] ?? 0).toFixed(1)}`).reverse();
    upper.forEach((value, index) => (below[index] = value));
    return { band, path: `M${line.join("L")}L${back.join("L")}Z`, edge: `M${line.join("L")}` };
  });
  const format = timeFormat(span);
  const last = points.at(-1);
  return (
    <figure ref={element} style={{ margin: 0 }}>
      <svg className="chart" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
        {marks.map((mark) => (
          <g key={mark}>
            <line className="grid" x1={left} x2={width - 4} y1={y(mark)} y2={y(mark)} />
            <text x={left - 8} y={y(mark) + 4} textAnchor="end">
              {mark}
            </text>
          </g>
        ))}
        {areas.map(({ band, path, edge }) => (
          <g key={band.key}>
            <path d={path} fill={band.colour} fillOpacity={0.28} />
            <path d={edge} fill="none" stroke={band.colour} strokeWidth={1.75} strokeLinejoin="round" />
          </g>
        ))}
        {(width < 480 ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1]).map((part) => (
          <text key={part} x={left + part * (width - left - 4)} y={height - 6} textAnchor={part === 0 ? "start" : part === 1 ? "end" : "middle"}>
            {format.format(first + part * span)}
          </text>
        ))}
      </svg>
      <figcaption>
        <ul className="legend">
          {bands.map((band) => (
            <li key={band.key}>
              <i style={{ background: band.colour }} aria-hidden />
              {band.name}: <span className="numbers">{last?.counts[band.key] ?? 0}</span> now
            </li>
          ))}
        </ul>
      </figcaption>
    </figure>
  );
}

export function BarChart({ label, bars, colour, write }: { label: string; bars: Bar[]; colour: string; write: (value: number) => string }) {
  const most = Math.max(1, ...bars.map((bar) => bar.value));
  const id = useId();
  return (
    <table style={{ width: "100%", borderCollapse: "separate", borderSpacing: "0 0.4375rem", margin: "-0.4375rem 0", fontSize: "0.875rem", tableLayout: "fixed" }}>
      <caption className="unseen" id={id}>
        {label}
      </caption>
      <colgroup>
        <col style={{ width: "40%" }} />
        <col />
      </colgroup>
      <tbody>
        {bars.map((bar, index) => (
          <tr key={`${bar.label}:${index}`}>
            <th scope="row" style={{ textAlign: "left", fontWeight: 450, paddingRight: "0.75rem", overflowWrap: "anywhere", lineHeight: 1.3 }}>
              {bar.label}
            </th>
            <td>
              <div style={{ display: "flex", alignItems: "center", gap: "0.5rem" }}>
                <div style={{ width: `${(bar.value / most) * 70}%`, minWidth: 3, height: 14, borderRadius: 4, background: colour }} aria-hidden />
                <span className="numbers dim" style={{ whiteSpace: "nowrap" }}>
                  {write(bar.value)}
                </span>
              </div>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

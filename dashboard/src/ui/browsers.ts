/// What a browser calls itself, in two words.
export function browser(agent: string | null): string {
  if (!agent) return "Unknown program";
  const name = (/(Firefox|Edg|OPR|Chrome|Safari)\//.exec(agent)?.[1] ?? agent.split(/[/ ]/)[0] ?? "Program").replace("Edg", "Edge").replace("OPR", "Opera");
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(agent)?.[1];
  return system ? `${name} on ${system.replace("Mac OS X", "macOS")}` : name;
}

/// The rule for store names, told while somebody types; the server has the last word.
export function nameRule(name: string): string | null {
  if (name.length === 0) return null;
  if (/[^a-z0-9-]/.test(name)) return "Only small letters, digits and hyphens";
  if (!/^[a-z0-9]/.test(name)) return "Begin with a letter or a digit";
  if (name.length < 3) return "At least 3 characters";
  if (name.length > 63) return "At most 63 characters";
  if (name.includes("--")) return "No two hyphens in a row";
  if (!/[a-z0-9]$/.test(name)) return "End with a letter or a digit";
  return null;
}

/// The server's rule for passwords, told before it is asked: 8 to 128 characters.
export function passwordRule(password: string): string | null {
  const length = [...password].length;
  if (length < 8) return length === 0 ? "Choose a password of 8 to 128 characters" : `${8 - length} more ${length === 7 ? "character" : "characters"} to go`;
  return length > 128 ? "At most 128 characters" : null;
}

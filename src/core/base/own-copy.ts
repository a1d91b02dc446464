/**
 * A string with memory of its own. One that was cut out of a longer text may be a view that keeps all of that text;
 * whoever remembers a few characters of it for long would remember the whole. For short texts that are kept: it
 * costs several times what cutting costs.
 */
export function ownCopy(text: string): string {
  const codes: number[] = [];
  for (let i = 0; i < text.length; i++) codes.push(text.charCodeAt(i));
  return String.fromCharCode(...codes);
}

/** For options that may be given several times: Commander hands each value with those before it. */
export function collect(value: string, former: readonly string[] = []): readonly string[] {
  return [...former, value];
}

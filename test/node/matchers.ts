/** Matchers that Bun's `expect` has and the `expect` library lacks. */
import { expect } from 'expect';

function says(pass: boolean, received: unknown, wish: string) {
  return { pass, message: () => `expected ${JSON.stringify(received)} ${pass ? 'not ' : ''}${wish}` };
}

expect.extend({
  toBeArray: (received: unknown) => says(Array.isArray(received), received, 'to be an array'),
  toBeEmpty: (received: { readonly length: number }) => says(received.length === 0, received, 'to be empty'),
  toBeFalse: (received: unknown) => says(received === false, received, 'to be false'),
  toBeNumber: (received: unknown) => says(typeof received === 'number', received, 'to be a number'),
  toBeString: (received: unknown) => says(typeof received === 'string', received, 'to be a string'),
  toBeTrue: (received: unknown) => says(received === true, received, 'to be true'),
  toEndWith: (received: string, end: string) => says(received.endsWith(end), received, `to end with ${end}`),
  toStartWith: (received: string, start: string) =>
    says(received.startsWith(start), received, `to start with ${start}`),
});

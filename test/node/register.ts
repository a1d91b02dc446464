/** Loaded by Node before a test file (`--import`): whoever imports `bun:test` gets `bun-test.ts`. */
import { registerHooks } from 'node:module';

const ADAPTER = new URL('./bun-test.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'bun:test' ? { url: ADAPTER, shortCircuit: true } : next(specifier, context),
});

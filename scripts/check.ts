/** `npm run check`: what to run before every commit; format, types, and every test that needs no browser. */
import { PREPARE_STEPS, runStep, STATIC_STEPS } from './run-step.ts';

const tests = { name: 'unit tests', command: [process.execPath, 'test', 'src', 'demo', 'test/tidy'] };
let isGood = true;
for (const step of [...PREPARE_STEPS, ...STATIC_STEPS, tests]) isGood = (await runStep(step)) && isGood;
process.exit(isGood ? 0 : 1);

/**
 * Operating errors: things that go wrong while the program is right (a port in use, a site that does
 * not exist). Expected outcomes of a request (miss, NXDOMAIN, 416) are values, not errors; mistakes of
 * the programmer are assertions (`assert.ts`). One table maps each code to an HTTP status and an exit code.
 */

/** Every code an operating error can have, with its HTTP status and the exit code of a command. */
export const APP_ERROR_CODES = {
  invalid: { httpStatus: 400, exitCode: 2 },
  unauthenticated: { httpStatus: 401, exitCode: 1 },
  forbidden: { httpStatus: 403, exitCode: 1 },
  'not-found': { httpStatus: 404, exitCode: 1 },
  conflict: { httpStatus: 409, exitCode: 1 },
  'limit-exceeded': { httpStatus: 429, exitCode: 1 },
  unavailable: { httpStatus: 503, exitCode: 1 },
  internal: { httpStatus: 500, exitCode: 1 },
} as const;

export type AppErrorCode = keyof typeof APP_ERROR_CODES;

/** An operating error. `message` names the thing, the cause and the way out, in words a user may read. */
export class AppError extends Error {
  readonly code: AppErrorCode;

  constructor(code: AppErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'AppError';
    this.code = code;
  }
}

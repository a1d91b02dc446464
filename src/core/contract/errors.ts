/** How the control API says no: one body for every refusal, and the error a client throws for it. */
import { z } from 'zod';
import { APP_ERROR_CODES, AppError, type AppErrorCode } from '../base/app-error.ts';

export const ERROR_DETAILS_MAX = 100;

const errorDetailSchema = z.object({
  /** Where in the request: `hosts[0]`, `rules[2].path`, `query.minutes`; or the name of a part. */
  path: z.string(),
  message: z.string(),
});

export const errorBodySchema = z.object({
  error: z.object({
    code: z.enum(Object.keys(APP_ERROR_CODES) as [AppErrorCode, ...AppErrorCode[]]),
    /** Names the thing, the cause and the way out; may be shown to a user as it is. */
    message: z.string(),
    details: z.array(errorDetailSchema).max(ERROR_DETAILS_MAX).optional(),
  }),
});

export type ErrorDetail = z.output<typeof errorDetailSchema>;
export type ErrorBody = z.output<typeof errorBodySchema>;

/** An operating error that also says which parts of the request it is about. */
export class ApiError extends AppError {
  readonly details: readonly ErrorDetail[];

  constructor(
    code: AppErrorCode,
    message: string,
    details: readonly ErrorDetail[] = [],
    options?: { cause?: unknown },
  ) {
    super(code, message, options);
    this.name = 'ApiError';
    this.details = details;
  }
}

/** The error for one place of a request: its message names the place, and it is the only detail. */
export function errorAt(path: string, message: string, code: AppErrorCode = 'invalid'): ApiError {
  return new ApiError(code, `${path}: ${message}`, [{ path, message }]);
}

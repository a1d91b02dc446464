/** Bounds of the commands, each with its unit and reason. */

/** Whole time for one request to the API, ms: a purge waits for every edge, well within this. */
export const REQUEST_TIMEOUT_MS = 30_000;

/** Largest answer read, bytes: a page of 1,000 sites with many rules each is about 40 MB. */
export const ANSWER_BYTES_MAX = 64 << 20;

/** A token is far shorter; a larger file is not one. Bytes. */
export const TOKEN_FILE_BYTES_MAX = 4096;

/** Certificates of authorities as PEM, with what stands around them: the API takes 32 Ki characters. Bytes. */
export const CLIENT_AUTHORITIES_FILE_BYTES_MAX = 32_768;

/** URLs of one `purge`, each its own request: more are better purged by prefix or tag. */
export const PURGE_URLS_MAX = 1000;

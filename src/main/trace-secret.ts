/** The variable in which the processes of one `perigee up` find the secret of its trace: no other user can read it there. */
export const TRACE_SECRET_VARIABLE = 'PERIGEE_TRACE_SECRET';

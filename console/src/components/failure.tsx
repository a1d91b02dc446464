/** A part of a page that could not be loaded for the first time: why, and that it is tried again. */
import { Alert } from '@mantine/core';
import { refusalText } from '../api/refusal.ts';

export function Failure(props: { readonly error: unknown }) {
  return (
    <Alert color="red" variant="light" title="This could not be loaded" m={16}>
      {refusalText(props.error)}. It is tried again every few seconds.
    </Alert>
  );
}

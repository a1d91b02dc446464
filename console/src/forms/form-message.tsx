/** What is wrong with a form as a whole. */
import { Alert } from '@mantine/core';
import type { ReactNode } from 'react';

export function FormMessage(props: { readonly message: ReactNode }) {
  if (props.message === undefined || props.message === null || props.message === '') return null;
  return (
    <Alert color="red" variant="light" role="alert">
      {props.message}
    </Alert>
  );
}

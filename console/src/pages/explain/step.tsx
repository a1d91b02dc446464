/** One step of the story. */
import type { ReactNode } from 'react';
import classes from './explain.module.css';

export function Step(props: { readonly title: string; readonly children: ReactNode }) {
  return (
    <li className={classes.step}>
      <h3>{props.title}</h3>
      <div>{props.children}</div>
    </li>
  );
}

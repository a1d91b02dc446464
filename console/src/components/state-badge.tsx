/** A state in a word with a dot in its colour, so that it can be told without seeing colours. */
import type { ReactNode } from 'react';
import classes from './state-badge.module.css';

export type Tone = 'good' | 'warning' | 'bad' | 'quiet';

export function StateBadge(props: { readonly tone: Tone; readonly children: ReactNode }) {
  return (
    <span className={classes.badge} data-tone={props.tone}>
      {props.children}
    </span>
  );
}

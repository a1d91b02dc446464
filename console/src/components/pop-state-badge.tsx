/** A POP's state as a badge. */
import { describeState, type PopSituation } from '../api/pop-situation.ts';
import { StateBadge, type Tone } from './state-badge.tsx';

function toneOf(situation: PopSituation): Tone {
  switch (situation.state) {
    case 'up':
      return situation.edgesDown > 0 ? 'warning' : 'good';
    case 'down':
      return 'bad';
    case 'drained':
      return 'warning';
    case 'unknown':
      return 'quiet';
  }
}

export function PopStateBadge(props: { readonly situation: PopSituation }) {
  return <StateBadge tone={toneOf(props.situation)}>{describeState(props.situation).word}</StateBadge>;
}

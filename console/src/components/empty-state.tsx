/** What stands where there is nothing yet: what would be here, and the first step towards it. */
import type { ComponentType, ReactNode, SVGProps } from 'react';
import classes from './empty-state.module.css';

interface EmptyStateProps {
  readonly Icon: ComponentType<SVGProps<SVGSVGElement>>;
  readonly title: string;
  readonly children: ReactNode;
  readonly action?: ReactNode;
}

export function EmptyState({ Icon, title, children, action }: EmptyStateProps) {
  return (
    <div className={classes.empty}>
      <span className={classes.icon}>
        <Icon width={24} aria-hidden="true" />
      </span>
      <h2>{title}</h2>
      <div className={classes.text}>{children}</div>
      {action}
    </div>
  );
}

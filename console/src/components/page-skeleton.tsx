/** The shape of a page while its first answers are on their way. */
import { Skeleton } from '@mantine/core';
import classes from './page.module.css';

export function PageSkeleton() {
  return (
    <div role="status" aria-label="Loading">
      <Skeleton height={30} width={200} mb={28} />
      <div className={classes.stack}>
        <Skeleton height={104} radius="lg" />
        <Skeleton height={360} radius="lg" />
      </div>
    </div>
  );
}

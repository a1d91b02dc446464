/** One of the areas that a chart stacks. */
export interface ChartLayer {
  readonly name: string;
  /** A CSS colour. */
  readonly color: string;
  readonly values: readonly number[];
}

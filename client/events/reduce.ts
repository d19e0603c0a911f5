/** Folds the events of a stream into one value. */
export interface Reduce<Event, Reduced> {
  /** The value before the first event. */
  initialState: Reduced
  /** Returns the value after `event`. Like a reducer of React, it must not change `state`. */
  reducer: (state: Reduced, event: Event) => Reduced
  /**
   * What a gap does to the value: `keep` continues with it, although events may be missing in it. `reset` starts over with `initialState`;
   * the kept events follow. Default `keep`.
   */
  onGap?: 'keep' | 'reset' | undefined
}

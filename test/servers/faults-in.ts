/** What Next prints of requests that were wrong, and answered as such. */
const complaints = [
  // A form was posted to a page that takes none.
  /Error: Failed to find Server Action\./,
  // The image optimiser was sent to a stream, which refused it.
  /internal image response (?:failed|is empty) for/,
]

/** The lines of a server's output that tell of a fault. */
export function faultsIn(output: string): string[] {
  return output
    .split('\n')
    .filter((line) => /⨯|error/i.test(line) && !complaints.some((known) => known.test(line)))
}

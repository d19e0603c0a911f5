/** What Next prints of requests that were wrong, and answered as such. */
const complaints = [
  // A form was posted to a page that takes none.
  /Error: Failed to find Server Action\./,
  // A form that can't be parsed was posted to a page.
  /TypeError: Failed to parse body as FormData\./,
  // The image optimiser was sent to a stream, which refused it.
  /internal image response (?:failed|is empty) for/,
]

/** The lines of a server's output that tell of a fault. */
export function faultsIn(output: string): string[] {
  return output
    .split('\n')
    .filter((line) => /⨯|error/i.test(line) && !complaints.some((known) => known.test(line)))
}

/** Answers that a token vouches for: `LIMIT_PUBLISH` does not count these publishes, with or without an `authorize` of the app's own. */
const vouched = new WeakSet<object>()

export function vouch<A extends object>(answer: A): A {
  vouched.add(answer)
  return answer
}

export function isVouched(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && vouched.has(answer)
}

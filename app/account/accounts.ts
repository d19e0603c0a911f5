/** The demo accounts. They have no password, so in production they exist only where `DEMO_ACCOUNTS=on` asks for them. */

export interface Account {
  id: 'ana' | 'bob'
  name: string
}

export const accounts: readonly Account[] = [
  { id: 'ana', name: 'Ana' },
  { id: 'bob', name: 'Bob' },
]

export function accountOf(id: unknown): Account | undefined {
  return accounts.find((account) => account.id === id)
}

/** True when anybody may sign in as one of the demo accounts. */
export function hasDemoAccounts(): boolean {
  return process.env['DEMO_ACCOUNTS'] === 'on' || process.env.NODE_ENV === 'development'
}

/** The topic that only this account may read. */
export function privateTopic({ id }: Pick<Account, 'id'>): string {
  return `account.${id}`
}

export function isPrivateTopic(topic: string): boolean {
  return topic.startsWith('account.')
}

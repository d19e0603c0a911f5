/** Who may read what in this app: an account its own topic, by its session; all other topics by token, as without accounts. */
import { byToken, type AccessAnswer, type AccessQuestion } from 'next-sse'
import { isPrivateTopic, privateTopic } from './accounts'
import { deviceOf } from './devices'

export async function mayRead(asked: AccessQuestion): Promise<AccessAnswer> {
  if (!asked.topics.some(isPrivateTopic)) return await byToken.read(asked)
  const device = await deviceOf(asked.request)
  // The library answers 401.
  if (!device) return { subject: undefined }
  const own = privateTopic(device.account)
  return asked.topics.every((topic) => topic === own) && { subject: device.account.id }
}

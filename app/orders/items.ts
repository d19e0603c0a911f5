/** What the shop sells. */
export const items = ['coffee', 'tea', 'cake'] as const
export type Item = (typeof items)[number]

/** The topic of an item's price. */
export const priceTopics = items.map((item) => `price.${item}` as const)

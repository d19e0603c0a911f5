/** The topic of the import, and how many values it has. */

export const importTopic = 'import'
export const rowCount = 2_000

export const SCREENS: string[];
export const SIZES: [number, number][];

import { createRequire } from 'node:module'

const { resolve } = createRequire(import.meta.url)

function isInstalled(name: string): boolean {
  try {
    return resolve(name).length > 0
  } catch {
    return false
  }
}

/** Whether the packages are here that run a user's own ONNX model; they are not installed with Verbatim. */
export const hasOnnxPackages = isInstalled('onnxruntime-node') && isInstalled('@huggingface/tokenizers')

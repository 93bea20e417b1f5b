// Every layer and activation of ours that a model file may name. Imported for its effect wherever models are loaded.
import './activations.ts'
import './keras-layers.ts'
import './layer-normalization.ts'
import './normalization.ts'
import './self-attention.ts'
import './tokens.ts'

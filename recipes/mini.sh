#!/usr/bin/env bash
# Makes the shipped mini from scratch: data, then nine networks and a LoRA. Every step can resume, so after any interruption
# run the script again. The options of each network are in recipes/mini/NETWORK.yaml; docs/training.md explains them.
#
#   recipes/mini.sh ASSETS RUNS            two CPU cores: about half a day for good weights
#   MINUTES=20 SHARDS=400 recipes/mini.sh ASSETS RUNS      a GPU with many cores: about two hours
#
# ASSETS: raw assets (docs/world.md). RUNS: folder for data, checkpoints and logs. MINUTES: training time of the DiT; the
# other networks get a share of it. The result is in RUNS/mini; if it measures better, copy it over src/dramatis/weights/mini.
# RUNS/mini needs a profile.yaml before anything can render with it; docs/training.md says what to put there.
set -euo pipefail
assets=$1
runs=$2
minutes=${MINUTES:-240}
shards=${SHARDS:-120}
workers=${WORKERS:-2}
python=${PYTHON:-python}
recipes=$(dirname "$0")/mini

# train NETWORK SHARE [--recipe NAME] FOLDERS...: train a network for SHARE of the minutes.
train() {
  local network=$1 share=$2 recipe=$1
  shift 2
  if [ "$1" = --recipe ]; then
    recipe=$2
    shift 2
  fi
  "$python" -m dramatis_lab.train "$network" --config "$recipes/$recipe.yaml" \
    --set "minutes=$("$python" -c "print(max(1.0, $minutes * $share))")" "$@"
}
world() { dramatis-lab world dataset "$@" --workers "$workers" --assets "$assets"; }
stills() { dramatis-lab world stills "$@" --workers "$workers" --assets "$assets"; }

world "$runs/data/train" --split train --shards "$shards"
world "$runs/data/test" --split test --shards 3
stills "$runs/stills/train" --split train --shards "$shards"
stills "$runs/stills/test" --split test --shards 3

# Speech needs no pictures: it generates its utterances first.
train speech 0.1 --assets "$assets" --cache "$runs/voices" --run "$runs/speech" --out "$runs/mini/speech_encoder" \
  --set "workers=$workers"
train perception 0.2 --data "$runs/data/train" --test "$runs/data/test" --stills "$runs/stills/train" \
  --stills-test "$runs/stills/test" --run "$runs/perception" --out "$runs/mini/perception"
train traits 0.06 --data "$runs/data/train" --test "$runs/data/test" --run "$runs/traits" \
  --perception "$runs/mini/perception" --out "$runs/mini/traits"
train autoencoder 0.5 --data "$runs/data/train" --test "$runs/data/test" --run "$runs/autoencoder" \
  --out "$runs/autoencoder/model"
# Then the decoder alone, for detail that a plain pixel distance would blur.
train autoencoder 0.2 --recipe decoder --data "$runs/data/train" --test "$runs/data/test" --run "$runs/decoder" \
  --init "$runs/autoencoder/model" --out "$runs/mini/autoencoder"
# Speech encoder and autoencoder are frozen from here on.
for split in train test; do
  [ "$split" = train ] && varied=--varied || varied=--no-varied
  "$python" -m dramatis_lab.data.precompute_latents --data "$runs/data/$split" --autoencoder "$runs/mini/autoencoder" \
    --speech "$runs/mini/speech_encoder" --out "$runs/latents/$split" $varied
done
train dit 1.0 --data "$runs/latents/train" --test "$runs/latents/test" --run "$runs/dit" \
  --autoencoder "$runs/mini/autoencoder" --perception "$runs/mini/perception" --out "$runs/mini" \
  --set compile_blocks=true

# The high-resolution half: pictures of twice the size, and the network that turns low-resolution clips into them.
world "$runs/data256/train" --split train --shards "$((shards / 3))" --size 256 --no-strided
world "$runs/data256/test" --split test --shards 1 --size 256 --no-strided
for split in train test; do
  [ "$split" = train ] && varied=--varied || varied=--no-varied
  "$python" -m dramatis_lab.data.precompute_hr --data "$runs/data256/$split" --model "$runs/mini" \
    --out "$runs/hr_latents/$split" $varied
done
train super_resolution 0.3 --data "$runs/hr_latents/train" --test "$runs/hr_latents/test" --model "$runs/mini" \
  --run "$runs/hr" --out "$runs/mini/upscaler" --set compile_blocks=true
# The refiner restores detail that the autoencoder loses, from warped keyframes. It trains on the upscaler's output.
train refiner 0.15 --data "$runs/hr_latents/train" --test "$runs/hr_latents/test" --model "$runs/mini" \
  --run "$runs/refiner" --out "$runs/mini/refiner"

# Groups in wide frames at twice the size, with the blueprint's frames, as jobs render them.
for people in 2 3; do
  for part in train held test; do
    [ "$part" = train ] && count=$((shards / 2)) || count=4
    [ "$part" = held ] && seed=1 || seed=0
    [ "$part" = test ] && split=test || split=train
    world "$runs/groups/$part$people" --size 256 --people "$people" --samples 2 --shards "$count" --seed "$seed" \
      --split "$split"
    "$python" -m dramatis_lab.data.precompute_groups --data "$runs/groups/$part$people" --model "$runs/mini" \
      --out "$runs/windows/$part$people"
  done
done

# A LoRA that adapts the DiT to groups; then the mask head, on the DiT with that LoRA.
train group_adapter 0.4 --data "$runs/windows/train2" --data "$runs/windows/train3" --held-out "$runs/windows/held2" \
  --held-out "$runs/windows/held3" --model "$runs/mini" --run "$runs/adapter" \
  --out "$runs/mini/group_adapter.safetensors"
train mask_head 0.15 --data "$runs/windows/train2" --data "$runs/windows/train3" --test "$runs/windows/test2" \
  --test "$runs/windows/test3" --model "$runs/mini" --adapter "$runs/mini/group_adapter.safetensors" \
  --run "$runs/masks" --out "$runs/mini/mask_head"

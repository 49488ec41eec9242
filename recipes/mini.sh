#!/usr/bin/env bash
# The shipped mini from nothing: data, nine networks, weights. Every step resumes, so run it again after any stop.
#
#   recipes/mini.sh ASSETS RUNS            two CPU cores: about half a day for good weights
#   MINUTES=20 SHARDS=400 recipes/mini.sh ASSETS RUNS      a GPU with many cores: about two hours
#
# ASSETS: raw material (docs/world.md). RUNS: folder for data, checkpoints and logs. MINUTES: for the DiT; the other
# networks take shares of it. The result lies in RUNS/mini; copy it over src/dramatis/weights/mini when it measures better.
set -euo pipefail
assets=$1
runs=$2
minutes=${MINUTES:-240}
shards=${SHARDS:-120}
workers=${WORKERS:-2}
python=${PYTHON:-python}
share() { "$python" -c "print(max(1.0, $minutes * $1))"; }

dramatis-lab world dataset "$runs/data/train" --split train --shards "$shards" --workers "$workers" --assets "$assets"
dramatis-lab world dataset "$runs/data/test" --split test --shards 3 --workers "$workers" --assets "$assets"

"$python" -m dramatis_lab.train.speech --assets "$assets" --cache "$runs/voices" --run "$runs/speech" \
  --out "$runs/mini/speech_encoder" --workers "$workers" --minutes "$(share 0.1)"
"$python" -m dramatis_lab.train.perception --data "$runs/data/train" --test "$runs/data/test" --run "$runs/perception" \
  --out "$runs/mini/perception" --minutes "$(share 0.2)"
"$python" -m dramatis_lab.train.traits --data "$runs/data/train" --test "$runs/data/test" --run "$runs/traits" \
  --perception "$runs/mini/perception" --out "$runs/mini/traits" --minutes "$(share 0.06)"
"$python" -m dramatis_lab.train.autoencoder --data "$runs/data/train" --test "$runs/data/test" --run "$runs/autoencoder" \
  --out "$runs/autoencoder/model" --minutes "$(share 0.5)"
# The decoder once more by itself, for detail that a plain distance would blur.
"$python" -m dramatis_lab.train.autoencoder --data "$runs/data/train" --test "$runs/data/test" --run "$runs/decoder" \
  --init "$runs/autoencoder/model" --decoder-only --texture 1.5 --out "$runs/mini/autoencoder" --minutes "$(share 0.2)"
for split in train test; do
  [ "$split" = train ] && varied=--varied || varied=--no-varied
  "$python" -m dramatis_lab.train.latents --data "$runs/data/$split" --autoencoder "$runs/mini/autoencoder" $varied \
    --speech "$runs/mini/speech_encoder" --out "$runs/latents/$split"
done
"$python" -m dramatis_lab.train.dit --data "$runs/latents/train" --test "$runs/latents/test" --run "$runs/dit" \
  --autoencoder "$runs/mini/autoencoder" --perception "$runs/mini/perception" --out "$runs/mini" --minutes "$minutes" --compile

# The high-resolution half: pictures of twice the size, and the network that turns low-resolution clips into them.
dramatis-lab world dataset "$runs/data256/train" --split train --shards "$((shards / 3))" --size 256 --no-strided \
  --workers "$workers" --assets "$assets"
dramatis-lab world dataset "$runs/data256/test" --split test --shards 1 --size 256 --no-strided --workers "$workers" \
  --assets "$assets"
for split in train test; do
  [ "$split" = train ] && varied=--varied || varied=--no-varied
  "$python" -m dramatis_lab.train.hr_latents --data "$runs/data256/$split" --model "$runs/mini" $varied \
    --out "$runs/hr_latents/$split"
done
"$python" -m dramatis_lab.train.super_resolution --data "$runs/hr_latents/train" --test "$runs/hr_latents/test" \
  --model "$runs/mini" --run "$runs/hr" --out "$runs/mini/upscaler" --minutes "$(share 0.3)" --compile
# What the autoencoder cannot keep is taken from moved keyframes: learnt from what the network above films.
"$python" -m dramatis_lab.train.refiner --data "$runs/hr_latents/train" --test "$runs/hr_latents/test" \
  --model "$runs/mini" --run "$runs/refiner" --out "$runs/mini/refiner" --minutes "$(share 0.15)"

# Groups in wide frames at twice the size, as jobs film them.
for people in 2 3; do
  for part in train held test; do
    [ "$part" = train ] && count=$((shards / 2)) || count=4
    [ "$part" = held ] && seed=1 || seed=0
    [ "$part" = test ] && split=test || split=train
    dramatis-lab world dataset "$runs/groups/$part$people" --size 256 --people "$people" --samples 2 --shards "$count" \
      --seed "$seed" --split "$split" --workers "$workers" --assets "$assets"
    "$python" -m dramatis_lab.train.group_windows --data "$runs/groups/$part$people" --model "$runs/mini" \
      --out "$runs/windows/$part$people"
  done
done

# What the DiT learns besides for groups, a LoRA; then the head that tells whose place is whose, on both.
"$python" -m dramatis_lab.train.group_adapter --data "$runs/windows/train2" --data "$runs/windows/train3" \
  --held-out "$runs/windows/held2" --held-out "$runs/windows/held3" --model "$runs/mini" --run "$runs/adapter" \
  --out "$runs/mini/group_adapter.safetensors" --minutes "$(share 0.4)"
"$python" -m dramatis_lab.train.mask_head --data "$runs/windows/train2" --data "$runs/windows/train3" \
  --test "$runs/windows/test2" --test "$runs/windows/test3" --model "$runs/mini" \
  --adapter "$runs/mini/group_adapter.safetensors" --run "$runs/masks" --out "$runs/mini/mask_head" --block 5 \
  --minutes "$(share 0.15)"

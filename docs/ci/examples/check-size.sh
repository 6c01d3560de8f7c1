#!/bin/bash

# Alert if checkpoint directory too large
SIZE=$(du -sm .specular/checkpoints/ | cut -f1)
if [ "$SIZE" -gt 1000 ]; then
  echo "Warning: Checkpoint directory exceeds 1GB"
  specular checkpoint clean --older-than 3d
fi

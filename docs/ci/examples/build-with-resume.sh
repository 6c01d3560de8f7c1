#!/bin/bash
set -eo pipefail

# Function to build with auto-resume
build_with_resume() {
  local max_attempts=3
  local attempt=1

  while [ $attempt -le $max_attempts ]; do
    echo "Build attempt $attempt of $max_attempts..."

    if specular build --resume 2>&1 | tee build.log; then
      echo "Build succeeded"
      return 0
    else
      echo "Build failed, will retry..."
      attempt=$((attempt + 1))
      sleep 5
    fi
  done

  echo "Build failed after $max_attempts attempts"
  return 1
}

build_with_resume

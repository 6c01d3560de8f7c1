#!/bin/bash

# Monitor checkpoint progress
watch -n 5 'specular checkpoint show --last --format json | jq "{
  status,
  completed: .completed_tasks,
  total: .total_tasks,
  progress: (.completed_tasks / .total_tasks * 100 | round)
}"'

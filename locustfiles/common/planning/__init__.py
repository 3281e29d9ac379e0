"""What is known before anything is sent: inputs, stages, search steps, time and cost ahead."""

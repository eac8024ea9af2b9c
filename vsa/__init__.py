"""vsa: a video-session alliance signal analyzer."""

__version__ = "0.1.0"

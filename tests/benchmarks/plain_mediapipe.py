"""The reference: MediaPipe as a user would write it. Prints pictures, seconds and faces a picture as JSON."""

from __future__ import annotations

import json
import sys
import time

import cv2
import mediapipe as mp
from mediapipe.tasks import python as tasks
from mediapipe.tasks.python import vision


def main(path: str, faces: int, model: str) -> None:
    options = vision.FaceLandmarkerOptions(
        base_options=tasks.BaseOptions(model_asset_path=model),
        running_mode=vision.RunningMode.VIDEO,
        num_faces=faces,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    start = time.perf_counter()
    pictures = found = 0
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        video = cv2.VideoCapture(path)
        fps = video.get(cv2.CAP_PROP_FPS)
        while True:
            ok, frame = video.read()
            if not ok:
                break
            image = mp.Image(image_format=mp.ImageFormat.SRGB, data=cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
            result = landmarker.detect_for_video(image, int(pictures * 1000 / fps))
            found += len(result.face_landmarks)
            pictures += 1
    seconds = time.perf_counter() - start
    print(json.dumps({"pictures": pictures, "seconds": seconds, "faces_per_picture": found / pictures}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])

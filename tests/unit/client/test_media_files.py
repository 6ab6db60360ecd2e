"""Recordings are complete files, and any file that PyAV opens can be read."""

import av
import pytest

from scope_serve.client import barcode
from scope_serve.client.errors import MediaFileError
from scope_serve.client.file_reader import FileReader
from scope_serve.client.pictures import TestPattern, even_yuv420p, luma_of
from scope_serve.client.recording import VideoFile


def record(path, sizes):
    file = VideoFile(path)
    for place, (width, height) in enumerate(sizes):
        frame = TestPattern(640, 360).frame(place).reformat(width=width, height=height)
        file.write(frame, arrival_s=place / 30)
    file.close()


def decode(path):
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "h264"), ("a.mov", "h264"), ("a.mkv", "h264"), ("a.webm", "vp8")]
)
def test_a_recording_plays_with_its_pictures_in_order(tmp_path, name, codec):
    record(tmp_path / name, [(640, 360)] * 12)
    with av.open(str(tmp_path / name)) as container:
        assert container.streams.video[0].codec_context.name == codec
        frames = list(container.decode(video=0))
    assert [barcode.read(luma_of(frame)) for frame in frames] == list(range(12))
    times = [frame.time for frame in frames]
    assert times == sorted(set(times))
    assert times[-1] == pytest.approx(11 / 30, abs=0.02)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_mp4_begins_to_play_before_it_is_loaded(tmp_path):
    record(tmp_path / "a.mp4", [(640, 360)] * 3)
    content = (tmp_path / "a.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_pictures_of_another_size_are_scaled_to_the_first(tmp_path):
    record(tmp_path / "a.mp4", [(640, 360)] * 3 + [(320, 180)] * 3 + [(576, 320)] * 3)
    frames = decode(tmp_path / "a.mp4")
    assert {(frame.width, frame.height) for frame in frames} == {(640, 360)}
    assert [barcode.read(luma_of(frame)) for frame in frames] == list(range(9))


def test_odd_sizes_are_made_even(tmp_path):
    record(tmp_path / "a.mp4", [(641, 361)] * 2)
    assert [(frame.width, frame.height) for frame in decode(tmp_path / "a.mp4")] == [(640, 360)] * 2


def test_a_recording_without_pictures_leaves_nothing_behind(tmp_path):
    VideoFile(tmp_path / "a.mp4").close()
    assert list(tmp_path.iterdir()) == []


def test_a_recording_without_pictures_spares_the_file_that_was_there(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"precious")
    VideoFile(tmp_path / "a.mp4").close()
    assert (tmp_path / "a.mp4").read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a.avi", "suffix has to be one of"),
        ("missing/a.mp4", "No such file"),
        ("d.mp4", "a folder"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_at_once(tmp_path, name, reason):
    (tmp_path / "d.mp4").mkdir()
    with pytest.raises(MediaFileError, match=reason):
        VideoFile(tmp_path / name)


def read_all(path):
    reader = FileReader(path)
    try:
        return list(iter(reader.read, None)), reader
    finally:
        reader.close()


def test_a_file_is_read_with_its_own_times(tmp_path):
    record(tmp_path / "a.mp4", [(640, 360)] * 10)
    pictures, reader = read_all(tmp_path / "a.mp4")
    assert [at_s for at_s, _ in pictures] == pytest.approx([n / 30 for n in range(10)], abs=0.001)
    assert reader.failure is None


def test_a_still_picture_is_a_video_of_one_frame(tmp_path):
    path = tmp_path / "a.png"
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("png")
        stream.width, stream.height, stream.pix_fmt = 640, 360, "rgb24"
        container.mux(stream.encode(TestPattern(640, 360).frame(5).reformat(format="rgb24")))
        container.mux(stream.encode(None))
    pictures, _ = read_all(path)
    assert [barcode.read(luma_of(frame)) for _, frame in pictures] == [5]


def test_a_file_that_breaks_off_ends_with_what_it_holds(tmp_path):
    record(tmp_path / "a.mkv", [(640, 360)] * 30)
    content = (tmp_path / "a.mkv").read_bytes()
    (tmp_path / "b.mkv").write_bytes(content[: len(content) // 2])
    pictures, _ = read_all(tmp_path / "b.mkv")
    assert 0 < len(pictures) < 30


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [("no.mp4", None, "no such file"), ("text.mp4", b"hello", "not a readable media file")],
)
def test_a_file_that_is_no_video_is_refused(tmp_path, name, content, reason):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaFileError, match=reason):
        FileReader(tmp_path / name)


def test_a_file_without_a_video_stream_is_refused(tmp_path):
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame(format="s16", layout="stereo", samples=160)
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(MediaFileError, match="holds no video stream"):
        FileReader(path)


def test_pictures_are_sent_with_even_sides():
    frame = even_yuv420p(TestPattern(640, 360).frame(0).reformat(width=641, height=361))
    assert (frame.format.name, frame.width, frame.height) == ("yuv420p", 640, 360)

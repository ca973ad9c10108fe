"""Names of codecs as people write them, by the codes that containers use.

Source: MP4 Registration Authority, "Codecs"; Microsoft mmreg.h (wave format tags); Matroska codec mappings.
"""

VIDEO_FOURCC = {
    "avc1": "H.264", "avc3": "H.264", "h264": "H.264", "x264": "H.264", "davc": "H.264",
    "hvc1": "H.265", "hev1": "H.265", "hevc": "H.265", "h265": "H.265", "dvh1": "H.265", "dvhe": "H.265",
    "vvc1": "H.266", "vvi1": "H.266",
    "av01": "AV1", "vp08": "VP8", "vp80": "VP8", "vp09": "VP9", "vp90": "VP9",
    "apch": "ProRes 422 HQ", "apcn": "ProRes 422", "apcs": "ProRes 422 LT", "apco": "ProRes 422 Proxy",
    "ap4h": "ProRes 4444", "ap4x": "ProRes 4444 XQ",
    "avdn": "DNxHD", "avdh": "DNxHR",
    "mp4v": "MPEG-4", "xvid": "MPEG-4", "divx": "MPEG-4", "dx50": "MPEG-4", "fmp4": "MPEG-4",
    "mpg1": "MPEG-1", "mpg2": "MPEG-2", "mx5p": "MPEG-2",
    "mjpg": "Motion JPEG", "jpeg": "Motion JPEG", "mjpa": "Motion JPEG", "mjp2": "JPEG 2000",
    "png ": "PNG", "png": "PNG", "rle ": "QuickTime Animation", "cfhd": "CineForm", "ffv1": "FFV1", "hfyu": "HuffYUV",
    "h263": "H.263", "s263": "H.263", "dvc ": "DV", "dvcp": "DV", "dvsd": "DV", "v210": "raw", "raw ": "raw",
}  # fmt: skip

AUDIO_FOURCC = {
    "mp4a": "AAC", "ac-3": "AC-3", "ec-3": "E-AC-3", "ac-4": "AC-4", "opus": "Opus", "flac": "FLAC", "alac": "ALAC",
    ".mp3": "MP3", "mp3": "MP3", "sowt": "PCM", "twos": "PCM", "lpcm": "PCM", "in24": "PCM", "in32": "PCM",
    "fl32": "PCM float", "fl64": "PCM float", "ipcm": "PCM", "fpcm": "PCM float", "raw ": "PCM", "none": "PCM",
    "ulaw": "µ-law", "alaw": "A-law", "samr": "AMR", "dtsc": "DTS", "vorb": "Vorbis",
}  # fmt: skip

OBJECT_TYPES = {0x40: "AAC", 0x66: "AAC", 0x67: "AAC", 0x68: "AAC", 0x69: "MP3", 0x6B: "MP3", 0xA5: "AC-3",
                0xA6: "E-AC-3", 0xA9: "DTS", 0xAD: "Opus", 0xDD: "Vorbis"}  # fmt: skip
"""What `mp4a` really holds, by the objectTypeIndication of its descriptor."""

WAVE_CODECS = {
    1: "PCM", 2: "ADPCM", 3: "PCM float", 6: "A-law", 7: "µ-law", 0x11: "ADPCM", 0x50: "MP2", 0x55: "MP3",
    0xFF: "AAC", 0x1610: "AAC", 0x2000: "AC-3", 0x2001: "DTS", 0xF1AC: "FLAC", 0x566F: "Vorbis", 0x704F: "Opus",
}  # fmt: skip

MATROSKA_CODECS = {
    "V_MPEG4/ISO/AVC": "H.264", "V_MPEGH/ISO/HEVC": "H.265", "V_MPEGI/ISO/VVC": "H.266", "V_VP8": "VP8",
    "V_VP9": "VP9", "V_AV1": "AV1", "V_MPEG4/ISO/ASP": "MPEG-4", "V_MPEG4/ISO/SP": "MPEG-4", "V_MPEG1": "MPEG-1",
    "V_MPEG2": "MPEG-2", "V_PRORES": "ProRes", "V_FFV1": "FFV1", "V_THEORA": "Theora", "V_MJPEG": "Motion JPEG",
    "V_UNCOMPRESSED": "raw", "A_OPUS": "Opus", "A_VORBIS": "Vorbis", "A_FLAC": "FLAC", "A_ALAC": "ALAC",
    "A_AC3": "AC-3", "A_EAC3": "E-AC-3", "A_DTS": "DTS", "A_MPEG/L3": "MP3", "A_MPEG/L2": "MP2",
    "A_PCM/INT/LIT": "PCM", "A_PCM/INT/BIG": "PCM", "A_PCM/FLOAT/IEEE": "PCM float", "A_TRUEHD": "TrueHD",
}  # fmt: skip

"""Under which names the known shapes keep the same fact: one table, in order of preference.

A dot leads into an object (or, with a number, a list). A name that ends in `#frames` counts frames, whatever the rest
of its file counts.

Source: a survey of the tools that write project files.
"""

Names = tuple[str, ...]

_OURS = "metadata.storycore_export"

# The whole film
VERSION: Names = ("schema_version", "schemaVersion")
NAME: Names = (
    "project_name",
    "name",
    "project.name",
    "project.metadata.name",
    "metadata.titre",
    "meta.titre",
    "metadata.project_name",
)
ID: Names = ("project_id", "id", "metadata.id", "project.id", "project.metadata.id")
TITLE: Names = (
    f"{_OURS}.title",
    "title",
    "project.title",
    "meta.titre",
    "metadata.titre",
    "metadata.title",
    "story_structure.title",
)
LOGLINE: Names = (
    f"{_OURS}.logline",
    "logline",
    "story_structure.logline",
    "project.narrative.logline",
    "narrative.logline",
    "meta.pitch",
    "metadata.logline",
    "story_structure.premise",
    "project.logline",
    "global_resume",
)
CREATED: Names = (
    "created_at",
    "created",
    "creation_timestamp",
    "createdAt",
    "project.created_at",
    "project.metadata.created",
    "project_metadata.created_at",
    "metadata.created_at",
    "meta.created_at",
)
UPDATED: Names = (
    "updated_at",
    "modified_at",
    "modified",
    "updatedAt",
    "modifiedAt",
    "project.updated_at",
    "project.metadata.modified",
    "metadata.updated_at",
    "metadata.modified_at",
    "status.last_updated",
)
FRAME_RATE: Names = (
    f"{_OURS}.frame_rate",
    "project.settings.fps",
    "fps",
    "frame_rate",
    "frameRate",
    "settings.fps",
    "settings.frame_rate",
    "project.format.specifications.frame_rate",
    "format.specifications.frame_rate",
    "config.fps",
    "config.frame_rate",
    "metadata.frame_rate",
    "metadata.fps",
)
RESOLUTION: Names = (
    f"{_OURS}.resolution",
    "project.settings.resolution",
    "config.target_resolution",
    "resolution",
    "settings.default_resolution",
    "settings.resolution",
    "project.format.specifications.resolution",
    "format.specifications.resolution",
    "metadata.resolution",
)
RESOLUTION_WIDTH: Names = ("resolution_width", "width", "metadata.resolution_width")
RESOLUTION_HEIGHT: Names = ("resolution_height", "height", "metadata.resolution_height")
ASPECT: Names = (
    "config.target_aspect_ratio",
    "aspect_ratio",
    "aspectRatio",
    "project.format.specifications.aspect_ratio",
    "settings.aspect_ratio",
    "metadata.aspect_ratio",
    "format",
)
CAPABILITIES: Names = ("capabilities",)
CAPABILITIES_WRITTEN: Names = (f"{_OURS}.capabilities",)
STATUS: Names = ("generation_status", "generationStatus")
STATUS_WRITTEN: Names = (f"{_OURS}.generation_status",)
PHRASES: Names = ("audio_phrases", "audioPhrases")
FILM_AUDIO: Names = ("audioTracks", "audio_tracks", "metadata.audioTracks")

# Shots
SHOT_ID: Names = ("id", "shot_id", "shotId")
ORDERS: Names = (
    "position",
    "order",
    "order_index",
    "orderIndex",
    "number",
    "shot_number",
    "sequence_number",
    "shotNumber",
    "index",
)
SHOT_NUMBER: Names = ("shot_number", "number", "shotNumber", "sequence_number")
SHOT_TITLE: Names = ("title", "name", "shot_title")
SHOT_DESCRIPTION: Names = ("description", "compositionNotes", "composition_notes", "action", "resume")
SHOT_DURATION: Names = (
    "duration",
    "duration_seconds",
    "durationSeconds",
    "timing.duration#frames",
    "frame_count#frames",
    "frameCount#frames",
    "duration_frames#frames",
)
SHOT_START: Names = ("start_time", "startTime", "start")
SHOT_END: Names = ("end_time", "endTime", "end")
SHOT_SCENE: Names = ("scene_id", "sceneId", "scene")
CAMERA: Names = (
    "camera_movement",
    "cameraMovement",
    "camera.movement.type",
    "camera.movement",
    "camera.0.movement",
    "camera.type",
    "camera",
    "metadata.camera_movement",
)
CAMERA_PROSE: Names = ("prompt_modules.camera", "camera_angle", "cameraAngle")
PROMPT: Names = ("prompt", "generation.prompt", "augmented_prompt", "prompt_modules.base", "metadata.prompt")
PROMPT_NEGATIVE: Names = (
    "negative_prompt",
    "negativePrompt",
    "generation.negativePrompt",
    "generation.negative_prompt",
    "prompt_modules.technical.negative_prompt",
)
PROMPT_SEED: Names = (
    "seed",
    "generation.seed",
    "parameters.seed",
    "generation.parameters.seed",
    "prompt_modules.technical.seed",
)
PROMPT_MODEL: Names = ("generation.model", "model", "generation.parameters.model", "prompt_modules.technical.model")
PROMPT_MODULES: Names = ("prompt_modules",)
CLIP: Names = (
    "video",
    "outputPath",
    "output_path",
    "clip",
    "clip_path",
    "video_path",
    "videoPath",
    "result_url",
    "media_path",
    "file_path",
    "path",
    "sourceUrl",
)
CLIP_IN: Names = (
    "clip_in",
    "in_point",
    "timing.trimStart",
    "trim.start",
    "inPoint",
    "media_start_time",
    "metadata.in_point",
)
CLIP_OUT: Names = ("clip_out", "out_point", "timing.trimEnd", "trim.end", "outPoint", "metadata.out_point")
IMAGE: Names = (
    "promoted_panel_path",
    "image",
    "image_path",
    "imagePath",
    "source_image",
    "generated_image_url",
    "generatedImageUrl",
    "result_url",
    "thumbnailUrl",
    "thumbnail_url",
    "thumbnail_path",
    "referenceImage",
    "generation.referenceImage",
)
MEDIA_PATH: Names = (
    "url",
    "path",
    "file",
    "file_path",
    "filePath",
    "media_path",
    "mediaPath",
    "sourceUrl",
    "source",
    "src",
    "audio_path",
    "content",
    "generatedAudioUrl",
)
DIALOGUE: Names = ("dialogue", "dialogues", "dialogue_lines", "metadata.dialogue")
AUDIO_TRACKS: Names = ("audioTracks", "audio_tracks", "metadata.audioTracks", "audio", "audio_path")
TEXT_LAYERS: Names = ("textLayers", "text_layers", "metadata.textLayers")

# Transitions
TRANSITION: Names = (
    "transitionOut",
    "transition_out",
    "transitions.out",
    "metadata.transitionOut",
    "transition",
    "timing.transition",
)
TRANSITION_KIND: Names = ("type", "transition_type", "transitionType", "kind", "name")
TRANSITION_DURATION: Names = ("duration", "duration_seconds")
TRANSITION_DURATION_BESIDE: Names = (
    "transition_out_duration",
    "transition_duration",
    "transitionDuration",
    "timing.transitionDuration#frames",
)
TRANSITION_EASING: Names = ("easing",)
TRANSITION_DIRECTION: Names = ("direction",)
TRANSITION_COLOUR: Names = ("color", "colour", "parameters.color", "parameters.colour")
TRANSITION_ORIGINAL: Names = ("original",)

# Lines
LINE_TEXT: Names = ("text", "line", "content", "dialogue")
LINE_NAME: Names = ("character_name", "characterName", "speaker_name")
LINE_WHO: Names = (
    "character_id",
    "characterId",
    "character",
    "speaker",
    "metadata.character",
    "metadata.speaker",
)
LINE_EMOTION: Names = ("emotion", "timing.emotionalTone", "metadata.emotion", "tone")
LINE_START: Names = ("startTime", "start_time", "timing.startTime", "timing.start", "start", "timestamp")
LINE_END: Names = ("endTime", "end_time", "timing.endTime", "timing.end", "end")
LINE_DURATION: Names = ("duration", "timing.duration")

# Sounds
TRACK_ID: Names = ("id", "clip_id", "track_id")
TRACK_NAME: Names = ("name", "title", "description")
TRACK_KIND: Names = ("type", "audio_type", "track_type", "kind", "category")
TRACK_START: Names = ("startTime", "start_time", "start")
TRACK_END: Names = ("endTime", "end_time", "end")
TRACK_DURATION: Names = ("duration", "duration_seconds")
TRACK_OFFSET: Names = ("offset", "media_start_time", "mediaStartTime", "inPoint", "in_point")
TRACK_VOLUME: Names = ("volume",)
TRACK_PAN: Names = ("pan",)
TRACK_FADE_IN: Names = ("fadeIn", "fade_in")
TRACK_FADE_OUT: Names = ("fadeOut", "fade_out")
TRACK_MUTED: Names = ("muted", "mute")
TRACK_SOLO: Names = ("solo",)
LANGUAGE: Names = ("language", "lang", "locale")

# Text on the picture
LAYER_TEXT: Names = ("content", "text")
LAYER_X: Names = ("position.x", "transform.position.x", "transform.position_x", "position_x", "x")
LAYER_Y: Names = ("position.y", "transform.position.y", "transform.position_y", "position_y", "y")
LAYER_START: Names = ("startTime", "start_time")
LAYER_DURATION: Names = ("duration",)

# Scenes and characters
SCENE_ID: Names = ("id", "scene_id", "sceneId")
SCENE_TITLE: Names = ("title", "sceneName", "name", "scene_name", "titre")
SCENE_DESCRIPTION: Names = ("description", "summary", "resume", "emotionalBeat")
SCENE_LOCATION: Names = ("location", "lieu", "location_name", "environment.location", "environment.type", "locationId")
SCENE_TIME: Names = ("time_of_day", "timeOfDay", "moment", "environment.time_of_day", "time")
SCENE_DURATION: Names = ("duration", "duration_seconds", "total_duration")
SCENE_MINUTES: Names = ("durationMinutes", "duration_minutes")
SCENE_SHOTS: Names = ("shot_ids", "shotIds", "shots")
SCENE_CHARACTERS: Names = ("characters", "characterIds", "character_ids", "personnages", "characters_present")
SCENE_ACTIONS: Names = ("key_actions", "keyActions", "actions", "action_notes")
CHARACTER_ID: Names = ("id", "character_id", "characterId")
CHARACTER_NAME: Names = ("name", "nom")
CHARACTER_ROLE: Names = ("role", "role.archetype", "archetype")
CHARACTER_DESCRIPTION: Names = ("description", "background.backstory", "characterArc")
CHARACTER_APPEARANCE: Names = (
    "appearance",
    "physicalAppearance",
    "visual_description",
    "visual_identity.description",
    "visual_identity.clothing_style",
)
CHARACTER_PERSONALITY: Names = (
    "personality",
    "personality_traits",
    "personalityTraits",
    "personality.traits",
    "traits",
)
CHARACTER_IMAGE: Names = (
    "reference_image_path",
    "visual_identity.reference_image",
    "visual_identity.reference_images.0",
    "visual_reference",
    "visualReferences.0",
    "reference_image",
    "referenceImage",
)


def first_names(*tables: Names) -> frozenset[str]:
    """The keys, at the top of an object, under which any of these facts may stand."""
    return frozenset(name.split("#")[0].split(".")[0] for table in tables for name in table)

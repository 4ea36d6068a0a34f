//! Starting GStreamer, and saying which package is missing.

use std::sync::OnceLock;

use gstreamer as gst;

use crate::MediaError;

/// Elements this crate uses, with the Debian package each is in.
const ELEMENTS: &[(&str, &str)] = &[
    ("filesrc", CORE),
    ("filesink", CORE),
    ("capsfilter", CORE),
    ("appsrc", "gstreamer1.0-plugins-base"),
    ("appsink", "gstreamer1.0-plugins-base"),
    ("videoconvert", "gstreamer1.0-plugins-base"),
    ("decodebin", "gstreamer1.0-plugins-base"),
    ("mp4mux", "gstreamer1.0-plugins-good"),
    ("matroskamux", "gstreamer1.0-plugins-good"),
    ("qtdemux", "gstreamer1.0-plugins-good"),
    ("matroskademux", "gstreamer1.0-plugins-good"),
    ("h264parse", "gstreamer1.0-plugins-bad"), // decodebin puts it before the decoder
    ("x264enc", "gstreamer1.0-plugins-ugly"),
    ("avdec_h264", LIBAV),
    ("avenc_ffv1", LIBAV),
    ("avdec_ffv1", LIBAV),
];
const CORE: &str = "libgstreamer1.0-0";
const LIBAV: &str = "gstreamer1.0-libav";

/// Starts GStreamer; calling it again, from any thread, costs nothing. Everything here calls it by itself.
///
/// # Errors
/// [`MediaError::Init`] when the library refuses to start.
pub fn init() -> Result<(), MediaError> {
    static STARTED: OnceLock<Result<(), String>> = OnceLock::new();
    let started = STARTED.get_or_init(|| {
        gst::init().map_err(|error| error.to_string())?;
        // Failures reach the caller as errors; GStreamer's own log stays quiet unless somebody asks for it.
        if std::env::var_os("GST_DEBUG").is_none() {
            gst::log::set_default_threshold(gst::DebugLevel::None);
        }
        Ok(())
    });
    started.clone().map_err(MediaError::Init)
}

/// Looks for every GStreamer element that reading and writing films takes.
///
/// # Errors
/// [`MediaError::MissingElement`] names the first one missing and the Debian package that has it.
pub fn check_installation() -> Result<(), MediaError> {
    init()?;
    match ELEMENTS
        .iter()
        .find(|(element, _)| gst::ElementFactory::find(element).is_none())
    {
        Some((element, _)) => Err(missing(element)),
        None => Ok(()),
    }
}

/// The error for an element that is not there.
pub(crate) fn missing(element: &str) -> MediaError {
    let package = ELEMENTS
        .iter()
        .find(|(name, _)| *name == element)
        .map_or("gstreamer1.0-plugins-bad", |(_, package)| package);
    MediaError::MissingElement {
        element: element.to_owned(),
        package,
    }
}

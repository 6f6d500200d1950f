"""Where the small copies of pictures lie: beside them, by name."""

from tasks.vault.page_sizes import large_picture, small_photo, thumb_name


def test_a_photos_copy_bears_its_name_and_another_ending() -> None:
    assert small_photo("people/p1/selfies/ab.v2.jpg") == "people/p1/selfies/ab.v2.page.webp"


def test_a_headshots_large_copy_is_found_by_its_thumbnail() -> None:
    thumb = thumb_name("ab12")
    assert thumb == "ab12.page.webp"
    assert large_picture(f"people/p1/thumbnails/{thumb}") == "people/p1/thumbnails/ab12.large.webp"
    assert large_picture("people/p1/thumbnails/ab12.webp") is None, "from before there was one"

"""Small rows of YouTube, X, LinkedIn and Reddit in their actors' own shape."""

from typing import Any

VIDEO_ID = "aB3_-dEfGh1"
TWEET_ID = 1728123456789012345
ACTIVITY_ID = 7368575809428672513


def _without_nones(row: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**row, **changes}.items() if value is not None}


def youtube_row(**changes: Any) -> dict[str, Any]:
    """One video of @quietnights, as the actor gives it; ``None`` removes a key."""
    row = {
        "id": VIDEO_ID,
        "url": f"https://www.youtube.com/watch?v={VIDEO_ID}",
        "title": "Bedtime",
        "text": "Sleep well",
        "date": "2026-09-01T08:00:00.000Z",
        "duration": "12:34",
        "viewCount": 900,
        "likes": 40,
        "commentsCount": 5,
        "channelId": "UC" + "a" * 22,
        "channelName": "Quiet Nights",
        "channelUsername": "QuietNights",
        "channelUrl": "https://www.youtube.com/@QuietNights",
        "numberOfSubscribers": 1200,
        "channelTotalViews": "1,234,567",
    }
    return _without_nones(row, changes)


def youtube_api_row(video_id: str = VIDEO_ID, **changes: Any) -> dict[str, Any]:
    """One video as the Data API gives it."""
    row = {
        "kind": "youtube#video",
        "etag": "e",
        "id": video_id,
        "snippet": {
            "publishedAt": "2026-09-01T08:00:00Z",
            "channelId": "UC" + "a" * 22,
            "title": "Bedtime",
            "description": "Sleep well",
            "channelTitle": "Quiet Nights",
        },
        "contentDetails": {"duration": "PT12M34S"},
        "statistics": {"viewCount": "900", "likeCount": "40", "commentCount": "5"},
    }
    return _without_nones(row, changes)


def x_row(**changes: Any) -> dict[str, Any]:
    """One post of @quietnights."""
    row = {
        "type": "tweet",
        "id": str(TWEET_ID),
        "url": f"https://x.com/quietnights/status/{TWEET_ID}",
        "twitterUrl": f"https://twitter.com/quietnights/status/{TWEET_ID}",
        "text": "Bedtime",
        "retweetCount": 3,
        "replyCount": 1,
        "likeCount": 9,
        "quoteCount": 2,
        "bookmarkCount": 4,
        "viewCount": 500,
        "createdAt": "Fri Nov 24 17:49:36 +0000 2023",
        "isReply": False,
        "isRetweet": False,
        "author": {"userName": "QuietNights", "id": "77", "followers": 1200, "following": 3},
        "media": [],
    }
    return _without_nones(row, changes)


def linkedin_row(**changes: Any) -> dict[str, Any]:
    """One post of company/quietnights."""
    row = {
        "type": "post",
        "id": str(ACTIVITY_ID),
        "linkedinUrl": f"https://www.linkedin.com/posts/quietnights_a-activity-{ACTIVITY_ID}-Ab1c",
        "content": "Bedtime",
        "author": {
            "name": "Quiet Nights",
            "type": "company",
            "universalName": "quietnights",
            "linkedinUrl": "https://www.linkedin.com/company/QuietNights/posts",
        },
        "postedAt": {"timestamp": 1756805374486, "date": "2025-09-02T09:29:34.486Z"},
        "postImages": [],
        "engagement": {"likes": 5, "comments": 1, "shares": 0},
    }
    return _without_nones(row, changes)


def linkedin_vintage_row(**changes: Any) -> dict[str, Any]:
    """The same post as another actor gave it in 2025."""
    row = {
        "activity_urn": str(ACTIVITY_ID),
        "full_urn": "urn:li:ugcPost:7368575780513165312",
        "post_url": f"https://www.linkedin.com/posts/quietnights_a-activity-{ACTIVITY_ID}-Ab1c?a=1",
        "text": "Bedtime",
        "posted_at": {"date": "2025-09-02 02:29:34", "timestamp": 1756805374486},
        "post_type": "regular",
        "author": {
            "name": "Quiet Nights",
            "follower_count": 104,
            "company_url": "https://www.linkedin.com/company/quietnights/posts",
        },
        "stats": {"total_reactions": 3, "like": 3},
        "media": {"type": "video", "items": [{"duration": 12000}]},
    }
    return _without_nones(row, changes)


def reddit_row(**changes: Any) -> dict[str, Any]:
    """One post of u/quietnights."""
    row = {
        "id": "t3_1ob0xi3",
        "parsedId": "1ob0xi3",
        "url": "https://www.reddit.com/r/sleep/comments/1ob0xi3/bedtime/",
        "username": "QuietNights",
        "userId": "t2_abc",
        "title": "Bedtime",
        "communityName": "r/sleep",
        "parsedCommunityName": "sleep",
        "body": "Sleep well",
        "upVotes": 12,
        "numberOfComments": 3,
        "createdAt": "2026-09-01T08:00:00.000Z",
        "dataType": "post",
    }
    return _without_nones(row, changes)

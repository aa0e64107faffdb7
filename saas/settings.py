"""All settings, from the environment only. Mistakes are named by saas/checks.py at start-up."""

from __future__ import annotations

import os
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# What `make demo` writes while it serves, so that manage.py finds its servers without any setting.
SERVICES_FILE = Path(env("SERVICES_FILE", default=str(BASE_DIR / "var" / "demo" / "services.env")))
if "DATABASE_URL" not in os.environ and SERVICES_FILE.exists():
    environ.Env.read_env(str(SERVICES_FILE))

# Weights come from a package or a folder; only a hub name in ENCODER needs the network.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY", default="")
# What SECRET_KEY was before: still read, so that a new one breaks nothing that the old one made.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"])

DATABASES = {
    # The application's role: it reads and writes rows and cannot change the schema or its policies.
    "default": env.db("DATABASE_URL", default="postgres://frontdesk_app@127.0.0.1/frontdesk"),
    # The schema's owner, for `manage.py migrate` only.
    "owner": env.db("DATABASE_OWNER_URL", default="postgres://frontdesk_owner@127.0.0.1/frontdesk"),
}
DATABASES["default"] |= {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":  # else tenants.rls refuses it
    DATABASES["default"]["ENGINE"] = "tenants.database"
DATABASES["owner"] |= {"TEST": {"MIRROR": "default"}}
REDIS_URL = env("REDIS_URL", default="redis://127.0.0.1:6379/0")

INSTALLED_APPS = [
    "saas.portal",  # before allauth, whose pages its templates dress
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "django.contrib.messages",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "tenants",
    "saas.billing",
    "saas.training",
    "saas.webhooks",
    "saas.chat",
    "saas.recommend",
    "saas.labelling",
    "saas.widget",
    "saas.demo",
    "saas",
]
MIDDLEWARE = [
    "saas.middleware.request_log",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "saas.middleware.body_limit",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "saas.middleware.content_security",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "saas.portal.languages.middleware",
    "allauth.account.middleware.AccountMiddleware",
    "tenants.middleware.PortalMiddleware",
]
ROOT_URLCONF = "saas.urls"
WSGI_APPLICATION = "saas.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "saas.portal.frame.context",
            ]
        },
    }
]
AUTH_USER_MODEL = "tenants.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Signing in: by e-mail, with a second factor for who set one. Only who was invited signs up, and the
# mailed invitation or password reset has proven the address.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL, LOGIN_REDIRECT_URL = "/account/login/", "/t/"
ACCOUNT_ADAPTER = "saas.portal.accounts.Accounts"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Who has no account is sent nothing, whoever types their address into "forgotten password": nobody signs
# up uninvited, so there is nothing to tell them, and strangers do not choose whom this server writes to.
# The page answers both alike, and as fast: letters are sent in the background (accounts.send_mail).
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
MFA_ADAPTER = "saas.portal.accounts.Factors"
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Frontdesk"
MFA_TOTP_TOLERANCE = 1
CSRF_FAILURE_VIEW = "saas.portal.frame.forged"
# Attempts to sign in are counted for all processes together.
CACHES = {"default": {"BACKEND": "saas.portal.cache.Cache", "LOCATION": REDIS_URL}}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "中文")]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
# Collected into one folder for a deployment; on a laptop each app's own files are served.
STATIC_ROOT = env("STATIC_ROOT", default=None)
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Collected with a .br and a .gz of each, which whitenoise sends to whom it suits.
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

# HTTPS is the deployment's rule; the laptop's loopback server says HTTPS=0.
HTTPS = env.bool("HTTPS", default=True)
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"

# Limits. A body over its limit is refused before it is read.
BODY_LIMIT = env.int("BODY_LIMIT_BYTES", default=2 * 1024**2)
UPLOAD_LIMIT = env.int("UPLOAD_LIMIT_BYTES", default=50 * 1024**2)
DATA_UPLOAD_MAX_MEMORY_SIZE = UPLOAD_LIMIT
BATCH_ROWS = 1_000
RATE_LIMIT = env("RATE_LIMIT", default="3000/minute")  # of each key
MESSAGE_LIMIT = "30/minute"  # of each conversation, and of each customer who begins some
IDEMPOTENCY_HOURS = 24

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tenants.auth.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["tenants.auth.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["saas.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "saas.errors.problem",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,  # a parameter like any other: there is one format
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Frontdesk",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SCHEMA_PATH_PREFIX": "/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["saas.openapi.complete"],
    "DESCRIPTION": (
        "Answers, recommendations and training for your business. Send your key with every call "
        "as `Authorization: Bearer fd_sk_…`. Bodies are UTF-8 JSON. Batches take up to 1,000 rows "
        "and answer row by row: a row that is not valid keeps no other back. Lists come in pages: "
        "follow `next` until it is null. Every error is a problem document with a stable `code` "
        "and a `detail` that says what to do."
    ),
}

# Models. ENCODER names a hub model or a folder; empty means the bundled multilingual-e5-small.
ENCODER = env("ENCODER", default="")
# A cross-encoder that orders the first passages anew, a hub model or a folder; empty means none.
RERANKER = env("RERANKER", default="")
ENCODER_CACHE = Path(env("ENCODER_CACHE", default=str(BASE_DIR / "var" / "encoder")))
ARTIFACTS = Path(env("ARTIFACTS", default=str(BASE_DIR / "var" / "artifacts")))
# The tenants' files: written by web processes, read by workers.
DOCUMENTS = Path(env("DOCUMENTS", default=str(BASE_DIR / "var" / "documents")))
# Which module reads, fits and loads models of a kind (saas/training/store.py).
TRAINERS = {
    "intent": "saas.training.intents",
    "recommend": "saas.recommend.recommender",
}
# Texts by which a tuned version's robustness and fairness are measured.
TRIAL_TEXTS = env.int("TRIAL_TEXTS", default=60)
# Where a run finds a tenant's texts besides its examples: messages without a label, the newest so
# many of them, and (question, answer) pairs.
UNLABELLED = ["saas.chat.conversations.texts", "saas.labelling.turns.texts"]
PASSAGES = "saas.chat.knowledge.pairs"
# What a version of the intent model is asked before it goes live: the questions whose answers people
# have set right. It has `questions`, and says which of them a model's version has `answered`.
EXPECTATIONS = "saas.chat.expectations.read"
# What else is deleted with a customer: functions of their id, which say how many rows that were.
ERASURES = ["saas.chat.erasure.erase"]
# What else becomes of somebody who answers customers no more: functions of who they were at the desk.
DEPARTURES = ["saas.chat.desk.leave"]
# A Celery task that is sent with the tenant's id when a version of a kind has gone live.
AFTER_ACTIVATION = {"intent": "saas.chat.tasks.embed"}
# A model of harmful wording beside the built-in guard, from `python -m ml train wording`.
SAFETY_MODEL = Path(env("SAFETY_MODEL")) if env("SAFETY_MODEL", default="") else None
# In many a container a process may run on fewer cores than there are; not every system tells.
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
THREADS = env.int("THREADS", default=CORES)
# A language model (saas/language_model.py): off without an address. An answer waits for it so many
# seconds at most; prices are of a million tokens, in the currency of tenants' budgets.
LLM_BASE_URL = env("LLM_BASE_URL", default="")
LLM_API_KEY = env("LLM_API_KEY", default="")
LLM_MODEL = env("LLM_MODEL", default="")
LLM_TIMEOUT = env.float("LLM_TIMEOUT", default=20.0)
LLM_PRICE_IN = env("LLM_PRICE_IN", default="0")
LLM_PRICE_OUT = env("LLM_PRICE_OUT", default="0")
# Servers of this network that tenants may have called, as host:port; all others must be public.
OUTSIDE_ALLOWED = env.list("OUTSIDE_ALLOWED", default=[])
ENGINE_QUEUE = env.int("ENGINE_QUEUE", default=256)

# Where e-mail goes out, and from whom; without an address there is none. A server that does not answer
# is waited for so many seconds.
EMAIL_TIMEOUT = 10
vars().update(env.email_url_config(env("EMAIL_URL", default="") or "dummymail://"))
DEFAULT_FROM_EMAIL = env("EMAIL_FROM", default="frontdesk@localhost")

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TRACK_STARTED = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 6 * 3600
# Webhooks and letters that somebody waits for have a queue, so that a worker can be kept for them:
# others train for hours. A worker that is given no queues works off both.
CELERY_TASK_QUEUES: dict[str, dict[str, str]] = {"celery": {}, "webhooks": {}}
CELERY_TASK_ROUTES = {
    "saas.webhooks.tasks.*": {"queue": "webhooks"},
    "saas.portal.tasks.*": {"queue": "webhooks"},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 7 * 3600}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_BEAT_SCHEDULE = {
    "training-take-up": {"task": "saas.training.tasks.take_up", "schedule": 10},
    "training-watch": {"task": "saas.training.tasks.watch", "schedule": 3600},
    "chat-propose": {"task": "saas.chat.tasks.propose_daily", "schedule": 24 * 3600},
    "chat-catch-up": {"task": "saas.chat.tasks.catch_up", "schedule": 600},
    "recommend-catch-up": {"task": "saas.recommend.tasks.catch_up", "schedule": 600},
    "webhooks-catch-up": {"task": "saas.webhooks.tasks.catch_up", "schedule": 30},
    "webhooks-forget": {"task": "saas.webhooks.tasks.forget", "schedule": 3600},
    "billing-release": {"task": "saas.billing.tasks.release", "schedule": 60},
    "billing-roll-up": {"task": "saas.billing.tasks.roll_up", "schedule": 3600},
    "billing-forget": {"task": "saas.billing.tasks.forget", "schedule": 3600},
}
RUN_LEASE_SECONDS = env.int("RUN_LEASE_SECONDS", default=60)

LOG_LEVEL = env("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "saas.logs.formatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # Requests are logged once, by saas.middleware.request_log.
    "loggers": {"django.request": {"level": "ERROR"}, "httpx": {"level": "WARNING"}},
}

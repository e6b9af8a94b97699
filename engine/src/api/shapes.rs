//! The requests of SageMaker's API model (service model 2017-07-24): members, lengths, patterns, ranges.

use super::model::{Member, Shape, optional_member, required_member};

const ANY: usize = usize::MAX;

macro_rules! text {
    ($name:ident, $min:expr, $max:expr) => {
        pub(super) static $name: Shape = Shape::Text {
            min: $min,
            max: $max,
            pattern: None,
            is_secret: false,
        };
    };
    ($name:ident, $min:expr, $max:expr, $pattern:expr) => {
        pub(super) static $name: Shape = Shape::Text {
            min: $min,
            max: $max,
            pattern: Some($pattern),
            is_secret: false,
        };
    };
}

macro_rules! structure {
    ($name:ident, $($member:expr),* $(,)?) => {
        pub(super) static $name: Shape = Shape::Structure({
            static MEMBERS: &[Member] = &[$($member),*];
            MEMBERS
        });
    };
}

text!(NAME, 1, 63, "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}");
text!(ATTRIBUTE, 1, 127, "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,126}");
text!(S3_URI, 0, 1024, "(https|s3)://([^/]+)/?(.*)");
text!(
    TOPIC_ARN,
    0,
    2048,
    r"arn:aws[a-z\-]*:sns:[a-z0-9\-]*:[0-9]{12}:[a-zA-Z0-9_.-]+"
);
text!(
    NOTIFICATION_TOPIC_ARN,
    0,
    ANY,
    r"arn:aws[a-z\-]*:sns:[a-z0-9\-]*:[0-9]{12}:[a-zA-Z0-9_.-]*"
);
text!(KMS_KEY, 0, 2048, "[a-zA-Z0-9:/_-]*");
text!(
    ROLE_ARN,
    20,
    2048,
    r"arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
);
text!(
    WORKTEAM_ARN,
    0,
    256,
    r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:workteam/.*"
);
text!(
    UI_ARN,
    0,
    1024,
    r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]+:[0-9]{12}:human-task-ui/.*"
);
text!(
    LAMBDA_ARN,
    0,
    2048,
    r"arn:aws[a-z\-]*:lambda:[a-z0-9\-]*:[0-9]{12}:function:.*"
);
text!(
    RESOURCE_ARN,
    0,
    256,
    "arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:.+"
);
text!(KEYWORD, 1, 30, "[A-Za-z0-9]+( [A-Za-z0-9]+)*");
text!(TASK_TITLE, 1, 128, r"[\t\n\r -\u{D7FF}\u{E000}-\u{FFFD}]*");
text!(TASK_DESCRIPTION, 1, 255, ".+");
text!(DESCRIPTION, 1, 200, ".+");
text!(TAG_KEY, 1, 128, r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)");
text!(TAG_VALUE, 0, 256, r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)");
text!(NEXT_TOKEN, 0, 8192, ".*");
text!(NAME_CONTAINS, 0, 63, r"[a-zA-Z0-9\-]+");
text!(REFERENCE_CONTAINS, 1, 255, ".+");
text!(USER_POOL, 1, 55, r"[\w-]+_[0-9a-zA-Z]+");
text!(USER_GROUP, 1, 128, r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+");
text!(CLIENT_ID, 1, 1024, "[ -~]+");
pub(super) static CLIENT_SECRET: Shape = Shape::Text {
    min: 1,
    max: 1024,
    pattern: Some("[ -~]+"),
    is_secret: true,
};
text!(OIDC_GROUP, 1, 63, r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+");
text!(OIDC_ENDPOINT, 0, 500, r"https://\S+");
text!(OIDC_SCOPE, 0, 1024, r"[!#-\[\]-~]+( [!#-\[\]-~]+)*");
text!(CIDR, 4, 64);
text!(TEMPLATE, 1, 128_000, r"[\S\s]+");
text!(TASK_INPUT, 2, 128_000, r"[\S\s]+");
text!(WORKFORCE_NAME, 1, 63, r"[a-zA-Z0-9]([a-zA-Z0-9\-]){0,62}");

static MAX_RESULTS: Shape = Shape::Int { min: 1, max: 100 };
static SORT_ORDER: Shape = Shape::Choice(&["Ascending", "Descending"]);
static ENABLED: Shape = Shape::Choice(&["Enabled", "Disabled"]);
static TIME: Shape = Shape::Time;
static UNSUPPORTED: Shape = Shape::Unsupported;

structure!(
    TAG,
    required_member("Key", &TAG_KEY),
    required_member("Value", &TAG_VALUE)
);
static TAGS: Shape = Shape::List {
    min: 0,
    max: 50,
    of: &TAG,
};

// Labeling jobs.
structure!(S3_DATA_SOURCE, required_member("ManifestS3Uri", &S3_URI));
structure!(SNS_DATA_SOURCE, required_member("SnsTopicArn", &TOPIC_ARN));
structure!(
    DATA_SOURCE,
    optional_member("S3DataSource", &S3_DATA_SOURCE),
    optional_member("SnsDataSource", &SNS_DATA_SOURCE)
);
static CLASSIFIER: Shape = Shape::Choice(&["FreeOfPersonallyIdentifiableInformation", "FreeOfAdultContent"]);
static CLASSIFIERS: Shape = Shape::List {
    min: 0,
    max: 256,
    of: &CLASSIFIER,
};
structure!(
    DATA_ATTRIBUTES,
    optional_member("ContentClassifiers", &CLASSIFIERS)
);
structure!(
    INPUT_CONFIG,
    required_member("DataSource", &DATA_SOURCE),
    optional_member("DataAttributes", &DATA_ATTRIBUTES)
);
structure!(
    OUTPUT_CONFIG,
    required_member("S3OutputPath", &S3_URI),
    optional_member("KmsKeyId", &KMS_KEY),
    optional_member("SnsTopicArn", &TOPIC_ARN),
);
static MAX_OBJECTS: Shape = Shape::Int {
    min: 1,
    max: i32::MAX as i64,
};
static PERCENT: Shape = Shape::Int { min: 1, max: 100 };
structure!(
    STOPPING_CONDITIONS,
    optional_member("MaxHumanLabeledObjectCount", &MAX_OBJECTS),
    optional_member("MaxPercentageOfInputDatasetLabeled", &PERCENT),
);
structure!(
    UI_CONFIG,
    optional_member("UiTemplateS3Uri", &S3_URI),
    optional_member("HumanTaskUiArn", &UI_ARN)
);
structure!(
    CONSOLIDATION_CONFIG,
    required_member("AnnotationConsolidationLambdaArn", &LAMBDA_ARN)
);
static KEYWORDS: Shape = Shape::List {
    min: 1,
    max: 5,
    of: &KEYWORD,
};
static WORKERS: Shape = Shape::Int { min: 1, max: 9 };
static TIME_LIMIT: Shape = Shape::Int {
    min: 30,
    max: i32::MAX as i64,
};
static AVAILABILITY: Shape = Shape::Int {
    min: 60,
    max: i32::MAX as i64,
};
static CONCURRENT: Shape = Shape::Int { min: 1, max: 5000 };
structure!(
    HUMAN_TASK_CONFIG,
    required_member("WorkteamArn", &WORKTEAM_ARN),
    required_member("UiConfig", &UI_CONFIG),
    optional_member("PreHumanTaskLambdaArn", &LAMBDA_ARN),
    optional_member("TaskKeywords", &KEYWORDS),
    required_member("TaskTitle", &TASK_TITLE),
    required_member("TaskDescription", &TASK_DESCRIPTION),
    required_member("NumberOfHumanWorkersPerDataObject", &WORKERS),
    required_member("TaskTimeLimitInSeconds", &TIME_LIMIT),
    optional_member("TaskAvailabilityLifetimeInSeconds", &AVAILABILITY),
    optional_member("MaxConcurrentTaskCount", &CONCURRENT),
    optional_member("AnnotationConsolidationConfig", &CONSOLIDATION_CONFIG),
    optional_member("PublicWorkforceTaskPrice", &UNSUPPORTED),
);
structure!(
    CREATE_LABELING_JOB,
    required_member("LabelingJobName", &NAME),
    required_member("LabelAttributeName", &ATTRIBUTE),
    required_member("InputConfig", &INPUT_CONFIG),
    required_member("OutputConfig", &OUTPUT_CONFIG),
    required_member("RoleArn", &ROLE_ARN),
    optional_member("LabelCategoryConfigS3Uri", &S3_URI),
    optional_member("StoppingConditions", &STOPPING_CONDITIONS),
    optional_member("LabelingJobAlgorithmsConfig", &UNSUPPORTED),
    required_member("HumanTaskConfig", &HUMAN_TASK_CONFIG),
    optional_member("Tags", &TAGS),
);
structure!(LABELING_JOB, required_member("LabelingJobName", &NAME));
static JOB_SORT: Shape = Shape::Choice(&["Name", "CreationTime", "Status"]);
static JOB_STATUS: Shape = Shape::Choice(&[
    "Initializing",
    "InProgress",
    "Completed",
    "Failed",
    "Stopping",
    "Stopped",
]);
structure!(
    LIST_LABELING_JOBS,
    optional_member("CreationTimeAfter", &TIME),
    optional_member("CreationTimeBefore", &TIME),
    optional_member("LastModifiedTimeAfter", &TIME),
    optional_member("LastModifiedTimeBefore", &TIME),
    optional_member("MaxResults", &MAX_RESULTS),
    optional_member("NextToken", &NEXT_TOKEN),
    optional_member("NameContains", &NAME_CONTAINS),
    optional_member("SortBy", &JOB_SORT),
    optional_member("SortOrder", &SORT_ORDER),
    optional_member("StatusEquals", &JOB_STATUS),
);
static CREATION_TIME: Shape = Shape::Choice(&["CreationTime"]);
structure!(
    LIST_LABELING_JOBS_FOR_WORKTEAM,
    required_member("WorkteamArn", &WORKTEAM_ARN),
    optional_member("MaxResults", &MAX_RESULTS),
    optional_member("NextToken", &NEXT_TOKEN),
    optional_member("CreationTimeAfter", &TIME),
    optional_member("CreationTimeBefore", &TIME),
    optional_member("JobReferenceCodeContains", &REFERENCE_CONTAINS),
    optional_member("SortBy", &CREATION_TIME),
    optional_member("SortOrder", &SORT_ORDER),
);

// Work teams and workforces.
structure!(
    COGNITO_MEMBER,
    required_member("UserPool", &USER_POOL),
    required_member("UserGroup", &USER_GROUP),
    required_member("ClientId", &CLIENT_ID),
);
static OIDC_GROUPS: Shape = Shape::List {
    min: 1,
    max: 10,
    of: &OIDC_GROUP,
};
structure!(OIDC_MEMBER, optional_member("Groups", &OIDC_GROUPS));
structure!(
    MEMBER,
    optional_member("CognitoMemberDefinition", &COGNITO_MEMBER),
    optional_member("OidcMemberDefinition", &OIDC_MEMBER)
);
static TEAM_MEMBERS: Shape = Shape::List {
    min: 1,
    max: 10,
    of: &MEMBER,
};
structure!(
    NOTIFICATION,
    optional_member("NotificationTopicArn", &NOTIFICATION_TOPIC_ARN)
);
structure!(
    IAM_POLICY_CONSTRAINTS,
    optional_member("SourceIp", &ENABLED),
    optional_member("VpcSourceIp", &ENABLED)
);
structure!(
    S3_PRESIGN,
    optional_member("IamPolicyConstraints", &IAM_POLICY_CONSTRAINTS)
);
structure!(WORKER_ACCESS, optional_member("S3Presign", &S3_PRESIGN));
structure!(
    CREATE_WORKTEAM,
    required_member("WorkteamName", &NAME),
    optional_member("WorkforceName", &WORKFORCE_NAME),
    required_member("MemberDefinitions", &TEAM_MEMBERS),
    required_member("Description", &DESCRIPTION),
    optional_member("NotificationConfiguration", &NOTIFICATION),
    optional_member("WorkerAccessConfiguration", &WORKER_ACCESS),
    optional_member("Tags", &TAGS),
);
structure!(
    UPDATE_WORKTEAM,
    required_member("WorkteamName", &NAME),
    optional_member("MemberDefinitions", &TEAM_MEMBERS),
    optional_member("Description", &DESCRIPTION),
    optional_member("NotificationConfiguration", &NOTIFICATION),
    optional_member("WorkerAccessConfiguration", &WORKER_ACCESS),
);
structure!(WORKTEAM, required_member("WorkteamName", &NAME));
static NAME_OR_DATE: Shape = Shape::Choice(&["Name", "CreateDate"]);
structure!(
    LIST,
    optional_member("SortBy", &NAME_OR_DATE),
    optional_member("SortOrder", &SORT_ORDER),
    optional_member("NameContains", &NAME),
    optional_member("NextToken", &NEXT_TOKEN),
    optional_member("MaxResults", &MAX_RESULTS),
);
structure!(
    COGNITO_CONFIG,
    required_member("UserPool", &USER_POOL),
    required_member("ClientId", &CLIENT_ID)
);
static EXTRA_PARAMS: Shape = Shape::Map { max: 10 };
structure!(
    OIDC_CONFIG,
    required_member("ClientId", &CLIENT_ID),
    required_member("ClientSecret", &CLIENT_SECRET),
    required_member("Issuer", &OIDC_ENDPOINT),
    required_member("AuthorizationEndpoint", &OIDC_ENDPOINT),
    required_member("TokenEndpoint", &OIDC_ENDPOINT),
    required_member("UserInfoEndpoint", &OIDC_ENDPOINT),
    required_member("LogoutEndpoint", &OIDC_ENDPOINT),
    required_member("JwksUri", &OIDC_ENDPOINT),
    optional_member("Scope", &OIDC_SCOPE),
    optional_member("AuthenticationRequestExtraParams", &EXTRA_PARAMS),
);
static CIDRS: Shape = Shape::List {
    min: 0,
    max: 10,
    of: &CIDR,
};
structure!(SOURCE_IP_CONFIG, required_member("Cidrs", &CIDRS));
structure!(
    CREATE_WORKFORCE,
    required_member("WorkforceName", &WORKFORCE_NAME),
    optional_member("CognitoConfig", &COGNITO_CONFIG),
    optional_member("OidcConfig", &OIDC_CONFIG),
    optional_member("SourceIpConfig", &SOURCE_IP_CONFIG),
    optional_member("WorkforceVpcConfig", &UNSUPPORTED),
    optional_member("IpAddressType", &UNSUPPORTED),
    optional_member("Tags", &TAGS),
);
structure!(
    UPDATE_WORKFORCE,
    required_member("WorkforceName", &WORKFORCE_NAME),
    optional_member("SourceIpConfig", &SOURCE_IP_CONFIG),
    optional_member("OidcConfig", &OIDC_CONFIG),
    optional_member("WorkforceVpcConfig", &UNSUPPORTED),
    optional_member("IpAddressType", &UNSUPPORTED),
);
structure!(WORKFORCE, required_member("WorkforceName", &WORKFORCE_NAME));

// Templates and tags.
structure!(UI_TEMPLATE, required_member("Content", &TEMPLATE));
structure!(RENDERABLE_TASK, required_member("Input", &TASK_INPUT));
structure!(
    RENDER_UI_TEMPLATE,
    optional_member("UiTemplate", &UI_TEMPLATE),
    required_member("Task", &RENDERABLE_TASK),
    required_member("RoleArn", &ROLE_ARN),
    optional_member("HumanTaskUiArn", &UI_ARN),
);
structure!(
    ADD_TAGS,
    required_member("ResourceArn", &RESOURCE_ARN),
    required_member("Tags", &TAGS)
);
static TAG_PAGE: Shape = Shape::Int {
    min: 50,
    max: i32::MAX as i64,
};
structure!(
    LIST_TAGS,
    required_member("ResourceArn", &RESOURCE_ARN),
    optional_member("NextToken", &NEXT_TOKEN),
    optional_member("MaxResults", &TAG_PAGE),
);
static TAG_KEYS: Shape = Shape::List {
    min: 1,
    max: 50,
    of: &TAG_KEY,
};
structure!(
    DELETE_TAGS,
    required_member("ResourceArn", &RESOURCE_ARN),
    required_member("TagKeys", &TAG_KEYS)
);

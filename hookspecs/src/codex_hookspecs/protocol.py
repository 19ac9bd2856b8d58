"""Values of the app-server protocol: threads, turns, items, notifications, requests.

Members have the names and the meaning that the app-server protocol v2 gives them; on the wire they are in camel case.
"""

from __future__ import annotations

from codex_hookspecs._lazy import exported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codex_hookspecs.ids import is_uuid as is_uuid
    from codex_hookspecs.ids import uuid4 as uuid4
    from codex_hookspecs.ids import uuid7 as uuid7
    from codex_hookspecs.ids import uuid_fault as uuid_fault
    from codex_hookspecs.types.app_server.accounts import *
    from codex_hookspecs.types.app_server.apps import *
    from codex_hookspecs.types.app_server.commands import *
    from codex_hookspecs.types.app_server.config import *
    from codex_hookspecs.types.app_server.config_values import *
    from codex_hookspecs.types.app_server.elicitation import *
    from codex_hookspecs.types.app_server.external_agents import *
    from codex_hookspecs.types.app_server.features import *
    from codex_hookspecs.types.app_server.files import *
    from codex_hookspecs.types.app_server.guardian import *
    from codex_hookspecs.types.app_server.handshake import *
    from codex_hookspecs.types.app_server.item_parts import *
    from codex_hookspecs.types.app_server.legacy import *
    from codex_hookspecs.types.app_server.mcp import *
    from codex_hookspecs.types.app_server.model_settings import *
    from codex_hookspecs.types.app_server.models import *
    from codex_hookspecs.types.app_server.network_policy import *
    from codex_hookspecs.types.app_server.permissions import *
    from codex_hookspecs.types.app_server.plugins import *
    from codex_hookspecs.types.app_server.realtime import *
    from codex_hookspecs.types.app_server.response_items import *
    from codex_hookspecs.types.app_server.reviews import *
    from codex_hookspecs.types.app_server.sandbox_policy import *
    from codex_hookspecs.types.app_server.search import *
    from codex_hookspecs.types.app_server.server_requests import *
    from codex_hookspecs.types.app_server.skills import *
    from codex_hookspecs.types.app_server.statuses import *
    from codex_hookspecs.types.app_server.threads import *
    from codex_hookspecs.types.app_server.turns import *
    from codex_hookspecs.types.app_server.user_input import *
    from codex_hookspecs.types.items import *
    from codex_hookspecs.types.json import *
    from codex_hookspecs.types.notifications import *
    from codex_hookspecs.types.requests import *
    from codex_hookspecs.types.sandbox import SandboxMode as SandboxMode
    from codex_hookspecs.types.threads import *

__all__, __getattr__, __dir__ = exported(
    __name__,
    {
        "ids": "is_uuid uuid4 uuid7 uuid_fault",
        "types.app_server.accounts": (
            "Account AccountLoginCompletedNotification AccountUpdatedNotification ApiKeyAccount "
            "ApiKeyLoginAccountParams ApiKeyLoginAccountResponse AuthMode CancelLoginAccountParams "
            "CancelLoginAccountResponse CancelLoginAccountStatus ChatgptAccount ChatgptAuthTokensLoginAccountParams "
            "ChatgptAuthTokensLoginAccountResponse ChatgptAuthTokensRefreshParams ChatgptAuthTokensRefreshReason "
            "ChatgptAuthTokensRefreshResponse ChatgptDeviceCodeLoginAccountParams "
            "ChatgptDeviceCodeLoginAccountResponse ChatgptLoginAccountParams ChatgptLoginAccountResponse "
            "CreditsSnapshot GetAccountParams GetAccountRateLimitsResponse GetAccountResponse LoginAccountParams "
            "LoginAccountResponse LogoutAccountResponse PlanType RateLimitSnapshot RateLimitWindow"
        ),
        "types.app_server.apps": (
            "AppBranding AppInfo AppListUpdatedNotification AppMetadata AppReview AppScreenshot AppSummary "
            "AppsListParams AppsListResponse"
        ),
        "types.app_server.commands": (
            "CommandExecOutputDeltaNotification CommandExecOutputStream CommandExecParams CommandExecResizeParams "
            "CommandExecResizeResponse CommandExecResponse CommandExecTerminalSize CommandExecTerminateParams "
            "CommandExecTerminateResponse CommandExecWriteParams CommandExecWriteResponse"
        ),
        "types.app_server.config": (
            "ConfigBatchWriteParams ConfigEdit ConfigLayer ConfigLayerMetadata ConfigLayerSource ConfigReadParams "
            "ConfigReadResponse ConfigRequirements ConfigRequirementsReadResponse ConfigValueWriteParams "
            "ConfigWriteResponse LegacyManagedConfigTomlFromFileConfigLayerSource "
            "LegacyManagedConfigTomlFromMdmConfigLayerSource MdmConfigLayerSource MergeStrategy "
            "NetworkDomainPermission NetworkRequirements NetworkUnixSocketPermission OverriddenMetadata "
            "ProjectConfigLayerSource ResidencyRequirement SessionFlagsConfigLayerSource SystemConfigLayerSource "
            "TextPosition TextRange UserConfigLayerSource WriteStatus"
        ),
        "types.app_server.config_values": (
            "AnalyticsConfig AppConfig AppToolApproval AppToolConfig AppToolsConfig AppsConfig AppsDefaultConfig "
            "Config ForcedLoginMethod ProfileV2 SandboxWorkspaceWrite ToolsV2 WebSearchContextSize WebSearchLocation "
            "WebSearchMode WebSearchToolConfig"
        ),
        "types.app_server.elicitation": (
            "McpElicitationArrayType McpElicitationBooleanSchema McpElicitationBooleanType McpElicitationConstOption "
            "McpElicitationEnumSchema McpElicitationLegacyTitledEnumSchema McpElicitationMultiSelectEnumSchema "
            "McpElicitationNumberSchema McpElicitationNumberType McpElicitationObjectType "
            "McpElicitationPrimitiveSchema McpElicitationSchema McpElicitationSingleSelectEnumSchema "
            "McpElicitationStringFormat McpElicitationStringSchema McpElicitationStringType "
            "McpElicitationTitledEnumItems McpElicitationTitledMultiSelectEnumSchema "
            "McpElicitationTitledSingleSelectEnumSchema McpElicitationUntitledEnumItems "
            "McpElicitationUntitledMultiSelectEnumSchema McpElicitationUntitledSingleSelectEnumSchema"
        ),
        "types.app_server.external_agents": (
            "ExternalAgentConfigDetectParams ExternalAgentConfigDetectResponse ExternalAgentConfigImportParams "
            "ExternalAgentConfigImportResponse ExternalAgentConfigMigrationItem ExternalAgentConfigMigrationItemType"
        ),
        "types.app_server.features": (
            "ExperimentalFeature ExperimentalFeatureEnablementSetParams ExperimentalFeatureEnablementSetResponse "
            "ExperimentalFeatureListParams ExperimentalFeatureListResponse ExperimentalFeatureStage "
            "FeedbackUploadParams FeedbackUploadResponse MockExperimentalMethodParams MockExperimentalMethodResponse "
            "WindowsSandboxSetupCompletedNotification WindowsSandboxSetupMode WindowsSandboxSetupStartParams "
            "WindowsSandboxSetupStartResponse WindowsWorldWritableWarningNotification"
        ),
        "types.app_server.files": (
            "FsChangedNotification FsCopyParams FsCopyResponse FsCreateDirectoryParams FsCreateDirectoryResponse "
            "FsGetMetadataParams FsGetMetadataResponse FsReadDirectoryEntry FsReadDirectoryParams "
            "FsReadDirectoryResponse FsReadFileParams FsReadFileResponse FsRemoveParams FsRemoveResponse "
            "FsUnwatchParams FsUnwatchResponse FsWatchParams FsWatchResponse FsWriteFileParams FsWriteFileResponse"
        ),
        "types.app_server.guardian": (
            "GuardianApprovalReview GuardianApprovalReviewStatus GuardianRiskLevel "
            "ItemGuardianApprovalReviewCompletedNotification ItemGuardianApprovalReviewStartedNotification"
        ),
        "types.app_server.handshake": (
            "ClientInfo InitializeCapabilities InitializeParams InitializeResponse W3cTraceContext"
        ),
        "types.app_server.item_parts": (
            "AddPatchChangeKind CollabAgentState CollabAgentStatus CollabAgentTool CommandAction "
            "DeletePatchChangeKind DynamicToolCallOutputContentItem FindInPageWebSearchAction "
            "InputImageDynamicToolCallOutputContentItem InputTextDynamicToolCallOutputContentItem "
            "ListFilesCommandAction McpToolCallError McpToolCallResult MemoryCitation MemoryCitationEntry "
            "OpenPageWebSearchAction OtherWebSearchAction PatchChangeKind ReadCommandAction SearchCommandAction "
            "SearchWebSearchAction UnknownCommandAction UpdatePatchChangeKind WebSearchAction"
        ),
        "types.app_server.legacy": (
            "AddLegacyFileChange ApplyPatchApprovalParams ApplyPatchApprovalResponse "
            "ApprovedExecpolicyAmendmentReviewDecision ConversationGitInfo ConversationSummary "
            "DeleteLegacyFileChange ExecCommandApprovalParams ExecCommandApprovalResponse GetAuthStatusParams "
            "GetAuthStatusResponse GetConversationSummaryParams GetConversationSummaryResponse GitDiffToRemoteParams "
            "GitDiffToRemoteResponse LegacyFileChange ListFilesParsedCommand NetworkPolicyAmendmentReviewDecision "
            "ParsedCommand ProposedExecpolicyAmendment ReadParsedCommand ReviewDecision ReviewedNetworkAmendment "
            "SearchParsedCommand UnknownParsedCommand UpdateLegacyFileChange"
        ),
        "types.app_server.mcp": (
            "FormMcpServerElicitationRequestParams ListMcpServerStatusParams ListMcpServerStatusResponse "
            "McpAuthStatus McpServerElicitationAction McpServerElicitationRequestParams "
            "McpServerElicitationRequestResponse McpServerOauthLoginCompletedNotification McpServerOauthLoginParams "
            "McpServerOauthLoginResponse McpServerRefreshResponse McpServerStartupState McpServerStatus "
            "McpServerStatusUpdatedNotification McpToolCallProgressNotification Resource ResourceTemplate Tool "
            "UrlMcpServerElicitationRequestParams"
        ),
        "types.app_server.model_settings": "CollaborationMode ModeKind Settings",
        "types.app_server.models": (
            "CollaborationModeListParams CollaborationModeListResponse CollaborationModeMask InputModality Model "
            "ModelAvailabilityNux ModelListParams ModelListResponse ModelRerouteReason ModelReroutedNotification "
            "ModelUpgradeInfo ReasoningEffortOption"
        ),
        "types.app_server.network_policy": (
            "NetworkApprovalContext NetworkApprovalProtocol NetworkPolicyAmendment NetworkPolicyRuleAction"
        ),
        "types.app_server.permissions": (
            "AdditionalFileSystemPermissions AdditionalNetworkPermissions AdditionalPermissionProfile "
            "GrantedPermissionProfile PermissionGrantScope PermissionsRequestApprovalParams "
            "PermissionsRequestApprovalResponse RequestPermissionProfile"
        ),
        "types.app_server.plugins": (
            "LocalPluginSource MarketplaceInterface MarketplaceLoadErrorInfo PluginAuthPolicy PluginDetail "
            "PluginInstallParams PluginInstallPolicy PluginInstallResponse PluginInterface PluginListParams "
            "PluginListResponse PluginMarketplaceEntry PluginReadParams PluginReadResponse PluginSource "
            "PluginSummary PluginUninstallParams PluginUninstallResponse"
        ),
        "types.app_server.realtime": (
            "RealtimeConversationVersion ThreadRealtimeAppendAudioParams ThreadRealtimeAppendAudioResponse "
            "ThreadRealtimeAppendTextParams ThreadRealtimeAppendTextResponse ThreadRealtimeAudioChunk "
            "ThreadRealtimeClosedNotification ThreadRealtimeErrorNotification ThreadRealtimeItemAddedNotification "
            "ThreadRealtimeOutputAudioDeltaNotification ThreadRealtimeStartParams ThreadRealtimeStartResponse "
            "ThreadRealtimeStartedNotification ThreadRealtimeStopParams ThreadRealtimeStopResponse "
            "ThreadRealtimeTranscriptUpdatedNotification"
        ),
        "types.app_server.response_items": (
            "CompactionResponseItem ContentItem CustomToolCallOutputResponseItem CustomToolCallResponseItem "
            "ExecLocalShellAction FindInPageResponsesApiWebSearchAction FunctionCallOutputBody "
            "FunctionCallOutputContentItem FunctionCallOutputResponseItem FunctionCallResponseItem GhostCommit "
            "GhostSnapshotResponseItem ImageDetail ImageGenerationCallResponseItem InputImageContentItem "
            "InputImageFunctionCallOutputContentItem InputTextContentItem InputTextFunctionCallOutputContentItem "
            "LocalShellAction LocalShellCallResponseItem LocalShellStatus MessageResponseItem "
            "OpenPageResponsesApiWebSearchAction OtherResponseItem OtherResponsesApiWebSearchAction "
            "OutputTextContentItem RawResponseItemCompletedNotification ReasoningItemContent "
            "ReasoningItemReasoningSummary ReasoningResponseItem ReasoningTextReasoningItemContent ResponseItem "
            "ResponsesApiWebSearchAction SearchResponsesApiWebSearchAction SummaryTextReasoningItemReasoningSummary "
            "TextReasoningItemContent ToolSearchCallResponseItem ToolSearchOutputResponseItem "
            "WebSearchCallResponseItem"
        ),
        "types.app_server.reviews": (
            "BaseBranchReviewTarget CommitReviewTarget CustomReviewTarget ReviewDelivery ReviewStartParams "
            "ReviewStartResponse ReviewTarget UncommittedChangesReviewTarget"
        ),
        "types.app_server.sandbox_policy": (
            "DangerFullAccessSandboxPolicy ExternalSandboxSandboxPolicy FullAccessReadOnlyAccess NetworkAccess "
            "ReadOnlyAccess ReadOnlySandboxPolicy RestrictedReadOnlyAccess SandboxPolicy WorkspaceWriteSandboxPolicy"
        ),
        "types.app_server.search": (
            "FuzzyFileSearchMatchType FuzzyFileSearchParams FuzzyFileSearchResponse FuzzyFileSearchResult "
            "FuzzyFileSearchSessionCompletedNotification FuzzyFileSearchSessionStartParams "
            "FuzzyFileSearchSessionStartResponse FuzzyFileSearchSessionStopParams FuzzyFileSearchSessionStopResponse "
            "FuzzyFileSearchSessionUpdateParams FuzzyFileSearchSessionUpdateResponse "
            "FuzzyFileSearchSessionUpdatedNotification"
        ),
        "types.app_server.server_requests": (
            "AcceptWithExecpolicyAmendmentCommandExecutionApprovalDecision "
            "ApplyNetworkPolicyAmendmentCommandExecutionApprovalDecision CommandExecutionApprovalDecision "
            "CommandExecutionRequestApprovalParams CommandExecutionRequestApprovalResponse DynamicToolCallParams "
            "DynamicToolCallResponse DynamicToolSpec ExecpolicyAmendment FileChangeApprovalDecision "
            "FileChangeRequestApprovalParams FileChangeRequestApprovalResponse NetworkAmendment "
            "ToolRequestUserInputAnswer ToolRequestUserInputOption ToolRequestUserInputParams "
            "ToolRequestUserInputQuestion ToolRequestUserInputResponse"
        ),
        "types.app_server.skills": (
            "SkillDependencies SkillErrorInfo SkillInterface SkillMetadata SkillScope SkillSummary "
            "SkillToolDependency SkillsChangedNotification SkillsConfigWriteParams SkillsConfigWriteResponse "
            "SkillsListEntry SkillsListExtraRootsForCwd SkillsListParams SkillsListResponse"
        ),
        "types.app_server.statuses": (
            "ActiveThreadStatus ActiveTurnKind ActiveTurnNotSteerableCodexErrorInfo CodexErrorInfo "
            "CustomSessionSource HttpConnectionFailedCodexErrorInfo HttpFailure IdleThreadStatus "
            "NonSteerableTurnKind NotLoadedThreadStatus OtherSubAgentSource "
            "ResponseStreamConnectionFailedCodexErrorInfo ResponseStreamDisconnectedCodexErrorInfo "
            "ResponseTooManyFailedAttemptsCodexErrorInfo SessionSource SubAgentSessionSource SubAgentSource "
            "SystemErrorThreadStatus ThreadActiveFlag ThreadSpawn ThreadSpawnSubAgentSource ThreadStatus"
        ),
        "types.app_server.threads": (
            "ThreadArchiveParams ThreadArchiveResponse ThreadArchivedNotification "
            "ThreadBackgroundTerminalsCleanParams ThreadBackgroundTerminalsCleanResponse ThreadCompactStartParams "
            "ThreadCompactStartResponse ThreadDecrementElicitationParams ThreadDecrementElicitationResponse "
            "ThreadForkParams ThreadIncrementElicitationParams ThreadIncrementElicitationResponse "
            "ThreadLoadedListParams ThreadLoadedListResponse ThreadMetadataGitInfoUpdateParams "
            "ThreadMetadataUpdateParams ThreadMetadataUpdateResponse ThreadReadParams ThreadReadResponse "
            "ThreadRevertParams ThreadRevertResponse ThreadReverted ThreadRollbackParams ThreadRollbackResponse "
            "ThreadSetNameParams ThreadSetNameResponse ThreadShellCommandParams ThreadShellCommandResponse "
            "ThreadTurnsListParams ThreadTurnsListResponse ThreadUnarchiveParams ThreadUnarchiveResponse "
            "ThreadUnarchivedNotification ThreadUnsubscribeParams ThreadUnsubscribeResponse ThreadUnsubscribeStatus"
        ),
        "types.app_server.turns": "PlanDeltaNotification TurnSteerParams TurnSteerResponse",
        "types.app_server.user_input": (
            "ByteRange ImageUserInput LocalImageUserInput MentionUserInput SkillUserInput TextElement TextUserInput "
            "UserInput"
        ),
        "types.items": (
            "AgentMessage CollabAgentToolCall CollabAgentToolCallStatus CommandExecution CommandExecutionSource "
            "CommandExecutionStatus ContextCompaction DynamicToolCall DynamicToolCallStatus EnteredReviewMode "
            "ExitedReviewMode FileChange FileUpdateChange HookPrompt HookPromptFragment ImageGeneration ImageView "
            "Item McpToolCall McpToolCallStatus MessagePhase PatchApplyStatus Plan Reasoning UserMessage WebSearch"
        ),
        "types.json": (
            "AbsolutePathBuf AbsolutePathMark CLEARED Cleared CodexErrorInfoValue CollabAgentStateObject "
            "CollabAgentToolValue "
            "CollaborationModeObject CommandActionObject CommandDecisionValue ConfigObject DynamicToolObject "
            "GitInfoUpdateObject IntegerRange JsonObject JsonValue McpToolCallErrorObject McpToolCallResultObject "
            "MemoryCitationObject MessagePhaseValue PatchChangeKindObject RateLimitsObject RequestId "
            "ResponseItemObject ReviewTargetObject SandboxPolicyObject SessionSourceValue Shape Signed32 Size "
            "TextRangeObject ThreadStatusObject ToolOutputObject Unsigned Unsigned16 Unsigned64 Unsigned8 "
            "UserContentObject UserInputObject WebSearchActionObject"
        ),
        "types.notifications": (
            "AgentMessageDelta CommandOutputDelta ConfigWarning DeprecationNotice ErrorNotice FileChangeOutputDelta "
            "HookCompleted HookEntry HookExecutionMode HookHandlerType HookOutputEntryKind HookRun HookRunStatus "
            "HookScope HookStarted ItemCompleted ItemStarted Notification OtherNotification PlanStep PlanUpdated "
            "RateLimitsUpdated ReasoningSummaryPartAdded ReasoningSummaryTextDelta ReasoningTextDelta "
            "ServerRequestResolved TerminalInteraction ThreadClosed ThreadCompacted ThreadNameUpdated ThreadStarted "
            "ThreadStatusChanged TokenUsageUpdated TurnCompleted TurnDiffUpdated TurnPlanStepStatus TurnStarted "
            "WarningNotice"
        ),
        "types.requests": (
            "SortDirection ThreadForkResponse ThreadListParams ThreadListResponse ThreadResumeParams "
            "ThreadResumeResponse ThreadSortKey ThreadSourceKind ThreadStartParams ThreadStartResponse "
            "TurnInterruptParams TurnInterruptResponse TurnStartParams TurnStartResponse"
        ),
        "types.sandbox": "SandboxMode",
        "types.threads": (
            "ApprovalCategory ApprovalPolicy ApprovalsReviewer GitInfo GranularApprovalPolicy GranularApprovals "
            "Personality ReasoningEffort ReasoningSummary ServiceTier "
            "Thread ThreadSettings ThreadTokenUsage TokenUsage Turn TurnError TurnStatus Verbosity"
        ),
    },
)

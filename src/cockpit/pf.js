// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The components of PatternFly that the page uses. Each is imported by its directory: the index of the
// library would include the styles of all components.

export { Alert, AlertActionCloseButton } from "@patternfly/react-core/dist/esm/components/Alert/index.js";
export { Breadcrumb, BreadcrumbItem } from "@patternfly/react-core/dist/esm/components/Breadcrumb/index.js";
export { Button } from "@patternfly/react-core/dist/esm/components/Button/index.js";
export {
    Card,
    CardBody,
    CardHeader,
    CardTitle,
} from "@patternfly/react-core/dist/esm/components/Card/index.js";
export { Checkbox } from "@patternfly/react-core/dist/esm/components/Checkbox/index.js";
export {
    DescriptionList,
    DescriptionListDescription,
    DescriptionListGroup,
    DescriptionListTerm,
} from "@patternfly/react-core/dist/esm/components/DescriptionList/index.js";
export {
    EmptyState,
    EmptyStateActions,
    EmptyStateBody,
    EmptyStateFooter,
} from "@patternfly/react-core/dist/esm/components/EmptyState/index.js";
export { ExpandableSection } from "@patternfly/react-core/dist/esm/components/ExpandableSection/index.js";
export {
    ActionGroup,
    Form,
    FormGroup,
    FormHelperText,
} from "@patternfly/react-core/dist/esm/components/Form/index.js";
export { FormSelect, FormSelectOption } from "@patternfly/react-core/dist/esm/components/FormSelect/index.js";
export { HelperText, HelperTextItem } from "@patternfly/react-core/dist/esm/components/HelperText/index.js";
export { Label } from "@patternfly/react-core/dist/esm/components/Label/index.js";
export {
    Modal,
    ModalBody,
    ModalFooter,
    ModalHeader,
} from "@patternfly/react-core/dist/esm/components/Modal/index.js";
export { Nav, NavItem, NavList } from "@patternfly/react-core/dist/esm/components/Nav/index.js";
export { Page, PageSection } from "@patternfly/react-core/dist/esm/components/Page/index.js";
export { Progress } from "@patternfly/react-core/dist/esm/components/Progress/index.js";
export {
    ProgressStep,
    ProgressStepper,
} from "@patternfly/react-core/dist/esm/components/ProgressStepper/index.js";
export { Radio } from "@patternfly/react-core/dist/esm/components/Radio/index.js";
export { Spinner } from "@patternfly/react-core/dist/esm/components/Spinner/index.js";
export { TextArea } from "@patternfly/react-core/dist/esm/components/TextArea/index.js";
export { TextInput } from "@patternfly/react-core/dist/esm/components/TextInput/index.js";
export { Title } from "@patternfly/react-core/dist/esm/components/Title/index.js";
export { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table/dist/esm/components/Table/index.js";
